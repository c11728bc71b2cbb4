/// One Locust at a time, and what became of the others: a pure state machine.
///
/// ```
///   admit --another runs--> its id
///     '--> starting --began--> running --heard, ...--> ended --> finished, remembered
///             '--withdraw--> forgotten       '--stop--> stopping --^
/// ```
public struct LocustDesk: Sendable {
    /// Older runs are forgotten; their files stay.
    public static let maxRemembered = 50

    /// Oldest first; at most one is not finished, the last one.
    public private(set) var runs: [LocustRun]

    /// - Parameter finished: the runs of earlier lives, oldest first.
    public init(finished: [LocustRun] = []) { runs = Array(finished.suffix(Self.maxRemembered)) }

    /// The one that has not ended.
    public var current: LocustRun? { runs.last.flatMap { $0.state == .finished ? nil : $0 } }

    public func run(_ id: String) -> LocustRun? { runs.last { $0.id == id } }

    /// Takes the place.
    ///
    /// - Returns: the run that has it already; nil when it is this one's now.
    public mutating func admit(_ run: LocustRun) -> LocustRun? {
        if let current { return current }
        runs.append(run)
        if runs.count > Self.maxRemembered { runs.removeFirst() }
        return nil
    }

    /// It never began.
    public mutating func withdraw(_ id: String) { runs.removeAll { $0.id == id && $0.state != .finished } }

    /// - Parameter note: what whoever started it should know.
    public mutating func began(_ id: String, note: String?) {
        change(id) { run in
            if run.state == .starting { run.state = .running }
            run.message = note
        }
    }

    public mutating func heard(_ id: String, _ second: LocustSecond) { change(id) { $0.live = second } }

    /// - Returns: the run that ends now; nil when there is none.
    public mutating func stop() -> LocustRun? {
        guard let id = current?.id else { return nil }
        change(id) { $0.state = .stopping }
        return current
    }

    public mutating func ended(_ id: String, _ end: LocustEnd, at time: Double) {
        change(id) { $0 = $0.ended(end, at: time) }
    }

    private mutating func change(_ id: String, _ change: (inout LocustRun) -> Void) {
        guard let index = runs.indices.last, runs[index].id == id, runs[index].state != .finished else { return }
        change(&runs[index])
    }
}
