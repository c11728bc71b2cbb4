import Foundation

/// How much of a fault was asked for, and how much there really was.
public struct Dose: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case packetLoss = "packet_loss"
        case packetDelay = "packet_delay"
        case packetDuplication = "packet_duplication"
        case packetCorruption = "packet_corruption"
        case packetReordering = "packet_reordering"
        case bandwidth
        case cpu
        case memory
        case steps
        case disk
        case processKill = "process_kill"
        case downtime
        /// In how many places the fault is, where nobody counts what it does.
        case targets
        /// What a fault that nobody counts does to the calls over its path.
        case traffic
    }

    public let kind: Kind
    /// In ``unit``s, as the manifest says.
    public let asked: Double
    public let delivered: Double
    /// The ends of the 95 % interval of what was delivered; both are `delivered` itself where nothing is drawn.
    public let low: Double
    public let high: Double
    /// `percent` of packets, `ms`, `bit/s`, `cores`, `bytes`, `fsyncs/s`, `processes`, `replicas`, `targets`, `steps`.
    public let unit: String
    /// Whether the fault was in force as asked; a run without it is invalid.
    public let effective: Bool
    /// The counts behind the numbers, in words: `382 of 472 packets dropped`.
    public let detail: String
    /// What people should know beside the number, such as workers killed for memory.
    public let findings: [String]
    /// Further doses of the same experiment, such as the memory of a stress on both.
    public private(set) var others: [Dose]?

    /// The dose that `reading` amounts to.
    ///
    /// Effective means
    /// * packets: some were seen, and the share asked for lies in the 99.99 % interval of the share chosen;
    /// * delay: the mean of the delays lies in its 99.99 % interval, and the machine was hardly late;
    /// * rate: bytes passed, and never more in a second than rate and burst allow;
    /// * cpu: the workers burnt at least half of what the limits and the machine left them (the services compete for
    ///   the same cores, so all of it is not to be had);
    /// * steps: each one that was due took effect;
    /// * memory: at least 90 % is held, or the kernel has killed a worker for trying;
    /// * disk: every worker made an fsync;
    /// * kills and downtime: every replica asked for was killed, or is down;
    /// * targets: the fault is in each of them;
    /// * traffic: the calls do not show that there is no fault.
    public init(_ reading: DoseReading) {
        switch reading {
        case .packets(let asked, let seen, let dropped):
            self.init(askedShare: asked, seen: seen, dropped: dropped)
        case .share(let reading): self.init(reading)
        case .delay(let reading): self.init(reading)
        case .rate(let reading): self.init(reading)
        case .steps(let asked, let done):
            self.init(
                kind: .steps, asked: Double(asked), delivered: Double(done), unit: "steps", effective: asked == done,
                detail: "\(done) of \(asked) steps were taken up", findings: [])
        case .cpu(let askedCores, let attainableCores, let burntSeconds, let wallSeconds):
            let cores = wallSeconds > 0 ? burntSeconds / wallSeconds : 0
            self.init(
                kind: .cpu, asked: askedCores, delivered: cores, unit: "cores",
                effective: cores > 0 && cores >= attainableCores / 2,
                detail: String(
                    format: "%.1f CPU seconds burnt in %.1f s; %.2f cores could be had", burntSeconds, wallSeconds,
                    attainableCores),
                findings: [])
        case .memory(let askedBytes, let heldBytes, let kills):
            self.init(
                kind: .memory, asked: Double(askedBytes), delivered: Double(heldBytes), unit: "bytes",
                effective: kills > 0 || (heldBytes > 0 && Double(heldBytes) >= 0.9 * Double(askedBytes)),
                detail: String(format: "%.1f of %.1f MB held", Double(heldBytes) / 1e6, Double(askedBytes) / 1e6),
                findings: kills == 0 ? [] : ["the kernel killed \(kills) memory workers: the limit is below the dose"])
        case .disk(let reading): self.init(reading)
        case .kills(let reading): self.init(reading)
        case .downtime(let reading): self.init(reading)
        case .targets(let reading): self.init(reading)
        case .traffic(let reading): self.init(reading)
        }
    }

    private init(askedShare: Double, seen: UInt64, dropped: UInt64) {
        let shown = WilsonInterval(hits: dropped, of: seen, .percent95)
        let decisive = WilsonInterval(hits: dropped, of: seen, .percent9999)
        self.init(
            kind: .packetLoss, asked: askedShare * 100,
            delivered: seen == 0 ? 0 : Double(dropped) / Double(seen) * 100, low: shown.low * 100,
            high: shown.high * 100, unit: "percent", effective: seen > 0 && decisive.contains(askedShare),
            detail: "\(dropped) of \(seen) packets dropped", findings: [])
    }

    init(
        kind: Kind, asked: Double, delivered: Double, low: Double? = nil, high: Double? = nil, unit: String,
        effective: Bool, detail: String, findings: [String]
    ) {
        self.kind = kind
        self.asked = asked
        self.delivered = delivered
        self.low = low ?? delivered
        self.high = high ?? delivered
        self.unit = unit
        self.effective = effective
        self.detail = detail
        self.findings = findings
    }

    /// One dose for an experiment with several, effective when all of them are; nil for none.
    public static func combining(_ doses: [Dose]) -> Dose? {
        guard let first = doses.first else { return nil }
        guard doses.count > 1 else { return first }
        var combined = Dose(
            kind: first.kind, asked: first.asked, delivered: first.delivered, low: first.low, high: first.high,
            unit: first.unit, effective: doses.allSatisfy(\.effective), detail: first.detail,
            findings: doses.flatMap(\.findings))
        combined.others = Array(doses.dropFirst())
        return combined
    }

    /// `asked 80 % of packets, delivered 80.9 % (95 % interval 77.1 to 84.2 %): 382 of 472 packets dropped`.
    public var text: String {
        let own: String
        switch kind {
        case .packetLoss, .packetDuplication, .packetCorruption, .packetReordering:
            own = String(
                format: "asked %.4g %% of packets, delivered %.1f %% (95 %% interval %.1f to %.1f %%)", asked,
                delivered, low, high)
        case .packetDelay:
            own = String(
                format: "asked %.4g ms, delivered %.1f ms (95 %% interval %.1f to %.1f ms)", asked, delivered, low,
                high)
        case .bandwidth: own = String(format: "asked %.0f bit/s, delivered at most %.0f bit/s", asked, delivered)
        case .steps: own = String(format: "asked %.0f steps, delivered %.0f", asked, delivered)
        case .cpu: own = String(format: "asked %.4g cores, delivered %.2f", asked, delivered)
        case .memory: own = String(format: "asked %.4g MB, delivered %.1f MB", asked / 1e6, delivered / 1e6)
        case .disk: own = String(format: "asked as many fsyncs as go, delivered %.1f a second", delivered)
        case .processKill: own = String(format: "kills asked %.0f, delivered %.0f", asked, delivered)
        case .downtime: own = String(format: "replicas asked down %.0f, delivered %.0f", asked, delivered)
        case .targets: own = String(format: "targets asked %.0f, delivered %.0f", asked, delivered)
        case .traffic:
            own = String(format: "asked at least %.4g %% of calls, touched %.1f %%", asked, delivered)
        }
        return (["\(own): \(detail)"] + (others ?? []).map(\.text)).joined(separator: "; ")
    }
}
