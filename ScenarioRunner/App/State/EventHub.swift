import DequeModule
import Foundation
import Synchronization

/// What happens, for the open pages.
///
/// ```
///   publish --> each subscriber's buffer (the newest 256) --> its event stream
/// ```
///
/// A page that reads too slowly loses the oldest events and never slows the runner. One that lost its connection is told
/// what it missed, as long as that is kept, and otherwise everything anew.
final class EventHub: Sendable {
    /// One server-sent event.
    struct Event: Sendable {
        let name: String
        /// One line of JSON.
        let data: String
        /// Its place in this hub's events, which the browser names when it comes back; nil until it is published.
        var id: String?
    }

    /// The events from one moment on.
    struct Subscription: Sendable {
        /// What was published since the event that the subscriber named; nil when that is not known any more.
        let missed: [Event]?
        /// The place of the newest event before the subscription.
        let lastID: String
        let events: AsyncStream<Event>
    }

    static let maxSubscribers = 256
    static let bufferedEvents = 256
    /// Events that are kept for pages which come back: minutes of a busy lab.
    static let keptEvents = 512

    private struct State {
        var subscribers: [Int: AsyncStream<Event>.Continuation] = [:]
        var next = 0
        /// The newest events, and the number of the last one.
        var kept: Deque<Event> = []
        var last = 0
    }
    private let state = Mutex(State())
    /// Tells the events of this hub from those of an earlier life of the runner.
    private let life = String(UInt32.random(in: .min ... .max), radix: 36)

    /// The events after the one that `lastEventID` names, or from now on; nil when there are too many subscribers.
    func subscribe(after lastEventID: String?) -> Subscription? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(Self.bufferedEvents))
        let subscription: (key: Int, missed: [Event]?, lastID: String)? = state.withLock { state in
            guard state.subscribers.count < Self.maxSubscribers else { return nil }
            state.next += 1
            state.subscribers[state.next] = continuation
            return (state.next, missed(after: lastEventID, state), id(of: state.last))
        }
        guard let (key, missed, lastID) = subscription else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.subscribers.removeValue(forKey: key) }
        }
        return Subscription(missed: missed, lastID: lastID, events: stream)
    }

    func publish(_ name: String, _ value: some Encodable) {
        guard var event = Event(name: name, value: value) else { return }
        // In the lock, so that everybody hears of events in the order of their numbers.
        state.withLock { state in
            state.last += 1
            event.id = id(of: state.last)
            state.kept.append(event)
            if state.kept.count > Self.keptEvents { state.kept.removeFirst() }
            for subscriber in state.subscribers.values { subscriber.yield(event) }
        }
    }

    private func id(of number: Int) -> String { "\(life)-\(number)" }

    private func missed(after lastEventID: String?, _ state: State) -> [Event]? {
        guard let lastEventID, lastEventID.hasPrefix("\(life)-"),
            let number = Int(lastEventID.dropFirst(life.count + 1)), number <= state.last,
            state.last - number <= state.kept.count
        else { return nil }
        return Array(state.kept.suffix(state.last - number))
    }

    var subscriberCount: Int { state.withLock { $0.subscribers.count } }
}

extension EventHub.Event {
    init?(name: String, value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return nil }
        self.init(name: name, data: String(decoding: data, as: UTF8.self))
    }

    /// The event as bytes of a `text/event-stream`.
    var text: String { "\(id.map { "id: \($0)\n" } ?? "")event: \(name)\ndata: \(data)\n\n" }
}
