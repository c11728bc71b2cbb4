import Foundation
import Synchronization

/// What happens, for the open pages.
///
/// ```
///   publish --> each subscriber's buffer (the newest 256) --> its event stream
/// ```
///
/// A page that reads too slowly loses the oldest events, never slows the runner, and is told everything anew when
/// it reconnects.
final class EventHub: Sendable {
    /// One server-sent event.
    struct Event: Sendable {
        let name: String
        /// One line of JSON.
        let data: String
    }

    static let maxSubscribers = 256
    static let bufferedEvents = 256

    private struct State {
        var subscribers: [Int: AsyncStream<Event>.Continuation] = [:]
        var next = 0
    }
    private let state = Mutex(State())

    /// A stream of the events from now on, or nil when there are too many subscribers.
    func subscribe() -> AsyncStream<Event>? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(Self.bufferedEvents))
        let id: Int? = state.withLock { state in
            guard state.subscribers.count < Self.maxSubscribers else { return nil }
            state.next += 1
            state.subscribers[state.next] = continuation
            return state.next
        }
        guard let id else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.subscribers.removeValue(forKey: id) }
        }
        return stream
    }

    func publish(_ name: String, _ value: some Encodable) {
        guard let event = Event(name: name, value: value) else { return }
        for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.yield(event) }
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
    var text: String { "event: \(name)\ndata: \(data)\n\n" }
}
