import Foundation
import Shared

/// One fault as a picture of the system shows it: its kind, for a sign, and the words beside the sign.
public struct FaultSign: Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case loss, delay, duplicate, corrupt, bandwidth, partition, cpu, memory, disk, kill, failure
        case failureMode = "failure_mode"
    }

    public let kind: Kind
    /// `80 %`, `200 ms +- 50 ms`, `1.6 cores`: short, and with units.
    public let label: String

    public init(_ kind: Kind, _ label: String) {
        self.kind = kind
        self.label = label
    }
}

extension Experiment.Spec {
    /// What a single fault does: several signs where it does several things at once. None for what consists of other
    /// experiments, and for what the lab does not run.
    public var signs: [FaultSign] {
        switch self {
        case .network(let network): network.signs
        case .stress(let stress): stress.signs
        case .pod(let pod): pod.action == .podFailure ? [.init(.failure, "down")] : [.init(.kill, "killed")]
        case .http, .io, .schedule, .workflow, .statusCheck, .failureModes, .other: []
        }
    }

    /// Which packets a network fault touches, seen from the selected replicas; nil for all other faults.
    public var direction: NetworkChaosSpec.Direction? {
        guard case .network(let network) = self else { return nil }
        return network.direction
    }
}

extension NetworkChaosSpec {
    fileprivate var signs: [FaultSign] {
        switch action {
        case .partition: return [.init(.partition, "cut")]
        case .bandwidth: return bandwidth.map { [.init(.bandwidth, "\($0.rate)")] } ?? []
        case .netem, .delay, .loss, .duplicate, .corrupt:
            var signs: [FaultSign] = []
            if let loss { signs.append(.init(.loss, NetemShare(loss.loss, loss.correlation).label)) }
            if let delay { signs.append(.init(.delay, delay.label)) }
            if let duplicate { signs.append(.init(.duplicate, duplicate.label)) }
            if let corrupt { signs.append(.init(.corrupt, corrupt.label)) }
            if let rate { signs.append(.init(.bandwidth, "\(rate)")) }
            return signs
        }
    }
}

extension NetworkChaosSpec.Share {
    fileprivate var label: String { NetemShare(share, correlation).label }
}

extension NetworkChaosSpec.Delay {
    fileprivate var label: String {
        latency.label + (jitter > .zero ? " +- \(jitter.label)" : "")
            + (reorder.map { ", \($0.reorder) % overtake" } ?? "")
    }
}

extension StressChaosSpec {
    fileprivate var signs: [FaultSign] {
        guard let load = try? resolvedLoad() else { return [] }
        var signs: [FaultSign] = []
        if let cpu = load.cpu {
            let cores = String(format: "%g", Double(cpu.workers * cpu.load) / 100)
            signs.append(.init(.cpu, cores == "1" ? "1 core" : "\(cores) cores"))
        }
        if let memory = load.memory { signs.append(.init(.memory, memory.size.map { "\($0)" } ?? "all there is")) }
        if let disk = load.disk { signs.append(.init(.disk, "\(MemorySize.bytes(disk.bytes))")) }
        return signs
    }
}

extension FailureModes {
    /// One sign for each mode that is on.
    public var signs: [FaultSign] {
        func percent(_ probability: Double) -> String { String(format: "%g %%", probability) }
        var labels: [String] = []
        if gatewayTimeoutEnabled {
            labels.append(
                "gateway timeout \(percent(gatewayTimeoutProbability)), "
                    + "\(Duration.seconds(gatewayTimeoutDelay).label), \(gatewayTimeoutPhase.rawValue)")
        }
        if cardDeclineEnabled { labels.append("card decline \(percent(cardDeclineProbability))") }
        if stolenCardEnabled { labels.append("stolen card \(percent(stolenCardProbability))") }
        return labels.map { FaultSign(.failureMode, $0) }
    }
}

extension Duration {
    /// `200 ms`, `0.5 ms`, `1.5 s`.
    fileprivate var label: String {
        self < .seconds(1) ? String(format: "%g ms", milliseconds) : String(format: "%g s", seconds)
    }
}
