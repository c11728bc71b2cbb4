import DequeModule
import Synchronization

/// Who has one of a number of places, and who waits for one, first come, first served.
///
/// ```
///   arrives --free place--> inside --leaves--> its place goes to the longest waiting
///      |'---none---> waits -----------------------^    |
///      '--too many wait--> refused                     '-- nobody waits: free
/// ```
public struct WaitingLine: Sendable {
    public enum Arrival: Sendable, Equatable {
        case enters, waits, refused
    }

    public let maxWaiting: Int
    public private(set) var inside = 0
    private var waiting: Deque<Int> = []

    public init(maxWaiting: Int) { self.maxWaiting = maxWaiting }

    public var waitingCount: Int { waiting.count }

    /// - Parameter places: as many as there are now; the number may change between two calls.
    public mutating func arrives(_ id: Int, places: Int) -> Arrival {
        if inside < places, waiting.isEmpty {
            inside += 1
            return .enters
        }
        guard waiting.count < maxWaiting else { return .refused }
        waiting.append(id)
        return .waits
    }

    /// - Returns: who enters now.
    public mutating func leaves(places: Int) -> [Int] {
        inside -= 1
        var entering: [Int] = []
        while inside < places, let id = waiting.popFirst() {
            inside += 1
            entering.append(id)
        }
        return entering
    }

    /// - Returns: whether it was still waiting.
    public mutating func givesUp(_ id: Int) -> Bool {
        guard let index = waiting.firstIndex(of: id) else { return false }
        waiting.remove(at: index)
        return true
    }
}

/// A number of places for work that may not all be done at once, as the connections of a pool are, with a line of
/// bounded length before them.
///
/// A bulkhead keeps one part from sinking the ship: what waits here holds no other resource. It is no defence by itself,
/// though. Whoever waits longer than its caller does works for nobody; see ``RequestDeadline``.
public final class Bulkhead: Sendable {
    private struct State {
        var line: WaitingLine
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        /// Those whose turn came between their arrival and their wait.
        var entered: Set<Int> = []
    }
    private let state: Mutex<State>
    private let places: @Sendable () -> Int

    /// - Parameter places: is asked whenever somebody comes or goes; where it is less than are inside, nobody enters.
    public init(maxWaiting: Int, places: @escaping @Sendable () -> Int) {
        state = Mutex(State(line: WaitingLine(maxWaiting: maxWaiting)))
        self.places = places
    }

    /// The work that waits now.
    public var waitingCount: Int { state.withLock { $0.line.waitingCount } }

    /// Runs `body` in one of the places.
    ///
    /// - Throws: ``BulkheadFull``, `CancellationError` when the task is cancelled while it waits, and what `body` throws.
    public func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async throws {
        let places = places()
        let (id, arrival) = state.withLock { state in
            state.nextID += 1
            return (state.nextID, state.line.arrives(state.nextID, places: places))
        }
        switch arrival {
        case .enters: return
        case .refused: throw BulkheadFull()
        case .waits: guard await wait(id) else { throw CancellationError() }
        }
    }

    private func leave() {
        let places = places()
        let turns = state.withLock { state in
            state.line.leaves(places: places).compactMap { id in
                let continuation = state.waiting.removeValue(forKey: id)
                if continuation == nil { state.entered.insert(id) }
                return continuation
            }
        }
        for turn in turns { turn.resume(returning: true) }
    }

    /// - Returns: whether it has a place now.
    private func wait(_ id: Int) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasPlace: Bool? = state.withLock { state in
                    if state.entered.remove(id) != nil { return true }
                    if Task.isCancelled {
                        _ = state.line.givesUp(id)
                        return false
                    }
                    state.waiting[id] = continuation
                    return nil
                }
                if let hasPlace { continuation.resume(returning: hasPlace) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                // Without a continuation it has its place already, or sees by itself that it is cancelled.
                let continuation = state.waiting.removeValue(forKey: id)
                if continuation != nil { _ = state.line.givesUp(id) }
                return continuation
            }
            continuation?.resume(returning: false)
        }
    }
}

/// Too many wait already.
public struct BulkheadFull: Error, Sendable, Equatable {
    public init() {}
}
