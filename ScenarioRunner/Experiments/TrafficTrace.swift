/// What a network fault does to every call that it touches, however little: enough to tell a fault that bites from one
/// that is only in the records.
public struct TrafficTrace: Sendable, Equatable {
    /// The least share of the calls that is touched, 0 to 1.
    public let share: Double
    /// A touched call takes longer than this, or is not answered.
    public let slowness: Duration

    /// TCP sends a packet again that was lost, but not sooner than 200 ms (Linux, `TCP_RTO_MIN`), most of which passes
    /// unless another packet of the same connection tells of the loss.
    static let retransmission = Duration.milliseconds(100)
    /// A smaller loss may hide: a second packet of the call can tell of the first within some milliseconds.
    public static let leastLoss = 0.3

    /// Nil for a fault that calls need not feel: a small loss, a little bandwidth, packets that come twice.
    public init?(_ spec: NetworkChaosSpec) {
        var traces: [TrafficTrace] = []
        if spec.action == .partition { traces.append(.init(share: 1, slowness: Self.retransmission)) }
        if spec.isShaping {
            // A damaged packet is a lost one: its checksum is wrong.
            let lost = [
                spec.loss.map { NetemShare($0.loss, $0.correlation).real },
                spec.corrupt.map { NetemShare($0.share, $0.correlation).real },
            ].compactMap(\.self)
            traces += lost.filter { $0 >= Self.leastLoss }.map { .init(share: $0, slowness: Self.retransmission) }
            if let delay = spec.delay, delay.latency > delay.jitter {
                let overtaking = delay.reorder.map { NetemShare($0.reorder, $0.correlation).real } ?? 0
                traces.append(.init(share: 1 - overtaking, slowness: delay.latency - delay.jitter))
            }
        }
        guard let strongest = traces.max(by: { ($0.share, $0.slowness) < ($1.share, $1.slowness) }),
            strongest.share >= Self.leastLoss
        else { return nil }
        self = strongest
    }

    public init(share: Double, slowness: Duration) {
        self.share = share
        self.slowness = slowness
    }
}

/// The calls over a path within some time, as those count them who called.
public struct TrafficCounts: Sendable, Equatable {
    /// Those that ended, well or not.
    public let calls: UInt64
    /// Those of them that were slow, or not answered.
    public let touched: UInt64
    public let seconds: Double

    public init(calls: UInt64, touched: UInt64, seconds: Double) {
        self.calls = calls
        self.touched = touched
        self.seconds = seconds
    }

    public static let none = TrafficCounts(calls: 0, touched: 0, seconds: 0)

    /// Of paths that were looked at for the same time.
    public static func + (one: TrafficCounts, other: TrafficCounts) -> TrafficCounts {
        TrafficCounts(
            calls: one.calls + other.calls, touched: one.touched + other.touched,
            seconds: max(one.seconds, other.seconds))
    }

    var rate: Double { seconds > 0 ? Double(calls) / seconds : 0 }
}

/// A network fault as the calls over its path show it.
public struct TrafficReading: Sendable, Equatable {
    public let trace: TrafficTrace
    /// `payment-a1 -> inventory-service`.
    public let path: String
    public let before: TrafficCounts
    public let during: TrafficCounts

    public init(trace: TrafficTrace, path: String, before: TrafficCounts, during: TrafficCounts) {
        self.trace = trace
        self.path = path
        self.before = before
        self.during = during
    }

    public enum Outcome: Sendable, Equatable {
        /// More calls are touched than before, beyond chance.
        case seen
        /// Far fewer calls are touched than the fault would touch, beyond chance.
        case absent
        /// Neither can be said, and why.
        case open(String)
    }

    /// Absent is only what stays below this part of the share that the fault touches at least, with all its interval:
    /// that share is an estimate of what TCP makes of the packets.
    static let absentPart = 0.5
    /// Calls that a fault holds up have not ended, and are not counted: absent is nothing while fewer end than this part
    /// of those before.
    static let steadyPart = 0.5

    public var outcome: Outcome {
        guard during.calls > 0 else { return .open("no call over it has ended") }
        guard before.calls > 0 else { return .open("nobody knows how it was before") }
        let now = WilsonInterval(hits: during.touched, of: during.calls, .percent9999)
        let earlier = WilsonInterval(hits: before.touched, of: before.calls, .percent9999)
        if now.low > earlier.high { return .seen }
        guard during.rate >= Self.steadyPart * before.rate else {
            return .open("fewer calls have ended than before, so that some may be held up")
        }
        if now.high < Self.absentPart * trace.share { return .absent }
        return .open("\(during.calls) calls are too few, or too many were slow before")
    }
}

extension Dose {
    /// What the traffic shows; `asked` is the share of calls that is touched at least.
    init(_ reading: TrafficReading) {
        let shown = WilsonInterval(hits: reading.during.touched, of: reading.during.calls, .percent95)
        let (outcome, calls) = (reading.outcome, reading.during.calls)
        let slowness = GoDuration.text(reading.trace.slowness)
        func counted(_ counts: TrafficCounts) -> String {
            "\(counts.touched) of \(counts.calls) calls took more than \(slowness) or were not answered"
        }
        let finding: String? =
            switch outcome {
            case .seen: nil
            case .absent:
                "the fault is in Chaos Mesh's records, and not in the traffic: \(reading.path) is as it was before"
            case .open(let reason):
                "whether the fault bites is the records' word alone: on \(reading.path), \(reason)"
            }
        self.init(
            kind: .traffic, asked: reading.trace.share * 100,
            delivered: calls == 0 ? 0 : Double(reading.during.touched) / Double(calls) * 100, low: shown.low * 100,
            high: shown.high * 100, unit: "percent", effective: outcome != .absent,
            detail: "\(reading.path): \(counted(reading.during)); before, \(counted(reading.before))",
            findings: finding.map { [$0] } ?? [])
    }
}
