import Foundation

/// What an experiment really does, in words for a card: the true loss where correlation changes it.
extension Experiment {
    /// `drops 80 % of packets payment -> inventory`.
    public var effectiveDoseText: String { spec.doseText(kind: kind) }

    /// Whom it touches: `payment -> inventory`, `one of payment`; empty for kinds that are only listed.
    public var targetText: String { spec.targetText }
}

extension Experiment.Spec {
    func doseText(kind: String) -> String {
        switch self {
        case .network(let network): "\(network.doseText) \(network.pathText)"
        case .stress(let stress): "\(stress.doseText) in \(stress.target.text)"
        case .pod(let pod): pod.doseText
        case .http(let http): http.doseText
        case .io(let io): io.doseText
        case .schedule(let schedule): schedule.doseText
        case .workflow(let workflow): workflow.doseText
        case .statusCheck(let check): check.doseText
        case .failureModes(let modes): modes.doseText
        case .other: "a \(kind), which the local lab only lists"
        }
    }

    var targetText: String {
        switch self {
        case .network(let network): network.pathText
        case .stress(let stress): stress.target.text
        case .pod(let pod): pod.target.text
        case .http(let http): http.source.text
        case .io(let io): io.source.text
        case .schedule(let schedule): schedule.bodySpec.targetText
        case .workflow(let workflow): workflow.targetText
        case .failureModes: "gateway"
        case .statusCheck(let check): check.url
        case .other: ""
        }
    }
}

extension NetworkChaosSpec {
    var doseText: String {
        switch action {
        case .partition: return "drops all packets"
        case .bandwidth: return bandwidth.map { "lets \($0.rate) of packets through" } ?? ""
        case .netem, .delay, .loss, .duplicate, .corrupt:
            var parts: [String] = []
            if let loss { parts.append(loss.text) }
            if let delay { parts.append(delay.text) }
            if let duplicate { parts.append("repeats \(NetemShare(duplicate.share, duplicate.correlation).text)") }
            if let corrupt { parts.append("damages \(NetemShare(corrupt.share, corrupt.correlation).text)") }
            if let rate { parts.append("limits the rate to \(rate)") }
            return parts.joined(separator: ", ")
        }
    }

    var pathText: String {
        let others = (target.map { [$0.text] } ?? []) + otherExternalTargets.map(\.description)
        let other = others.isEmpty ? "everyone" : others.joined(separator: ", ")
        switch direction {
        case .to: return "\(source.text) -> \(other)"
        case .from: return "\(other) -> \(source.text)"
        case .both: return "\(source.text) <-> \(other)"
        }
    }
}

extension NetworkChaosSpec.Loss {
    fileprivate var text: String { "drops \(NetemShare(loss, correlation).text)" }
}

extension NetworkChaosSpec.Delay {
    fileprivate var text: String {
        "delays packets by \(GoDuration.text(latency))" + (jitter > .zero ? " +- \(GoDuration.text(jitter))" : "")
            + (reorder.map { ", lets \($0.text) overtake" } ?? "")
    }
}

extension NetworkChaosSpec.Reorder {
    /// netem lets a packet overtake, by a draw, once gap - 1 others have been delayed since the last one that did
    /// (`net/sched/sch_netem.c`, `netem_enqueue`): one in gap - 1 + 1 / share.
    fileprivate var text: String {
        let share = NetemShare(reorder, correlation)
        guard gap > 1, share.real > 0 else { return share.text }
        let percent = String(format: "%.3g", 100 / (Double(gap) - 1 + 1 / share.real))
        return "\(percent) % of packets (\(reorder) % of those after each \(gap - 1))"
    }
}

/// What netem makes of a share and its correlation, for all that it draws alike: loss, duplication, corruption and
/// reordering.
struct NetemShare {
    let asked: Percentage
    let correlation: Percentage
    /// In the long run, 0 to 1.
    let real: Double

    init(_ asked: Percentage, _ correlation: Percentage) {
        self.asked = asked
        self.correlation = correlation
        real = NetemCorrelation.longRunLoss(loss: asked.fraction, correlation: correlation.fraction)
    }

    /// `80 % of packets`, `97 % of packets (80 % with correlation 50)`; near the ends with one decimal.
    var text: String { worded(" of packets") }

    /// The same without its noun: `80 %`.
    var label: String { worded("") }

    private func worded(_ noun: String) -> String {
        guard correlation.basisPoints > 0 else { return "\(asked) %\(noun)" }
        let digits = real < 0.1 || (real > 0.98) ? 10.0 : 1.0
        let percent = Percentage(basisPoints: Int((real * 100 * digits).rounded() * 100 / digits))
        return "\(percent) %\(noun) (\(asked) % with correlation \(correlation))"
    }
}

extension StressChaosSpec {
    var doseText: String {
        guard let load = try? resolvedLoad() else { return "runs stress-ng \(stressngStressors ?? "")" }
        var parts: [String] = []
        if let cpu = load.cpu {
            let cores = String(format: "%g", Double(cpu.workers * cpu.load) / 100)
            parts.append("asks for \(cores) cores (\(cpu.workers) workers at \(cpu.load) %)")
        }
        if let memory = load.memory {
            parts.append("holds \(memory.size.map { "\($0)" } ?? "all there is") of memory")
        }
        if let disk = load.disk {
            parts.append("writes \(MemorySize.bytes(disk.bytes)) to disk again and again (\(disk.workers) workers)")
        }
        return parts.joined(separator: " and ")
    }
}

extension PodChaosSpec {
    var doseText: String {
        // Nothing is left out in silence, as Chaos Mesh does with it.
        let idle = gracePeriod == 0 ? "" : " at once: gracePeriod is for pod-kill alone"
        switch action {
        case .podKill:
            return "kills \(target.text)" + (gracePeriod == 0 ? " at once" : " after \(gracePeriod) s to end by itself")
        case .podFailure: return "keeps \(target.text) down\(idle)"
        case .containerKill: return "kills \(containerNames.joined(separator: ", ")) in \(target.text)\(idle)"
        }
    }
}

extension ReplicaSelection {
    /// `payment`, `one of payment`, `50 % of payment`.
    var text: String {
        switch mode {
        case .all: selector.text
        case .one: "one of \(selector.text)"
        case .fixed(let count): "\(count) of \(selector.text)"
        case .fixedPercent(let percent): "\(percent) % of \(selector.text)"
        case .randomMaxPercent(let percent): "up to \(percent) % of \(selector.text)"
        }
    }
}

extension Selector {
    fileprivate var text: String {
        if !pods.isEmpty { return pods.values.joined().sorted().joined(separator: ", ") }
        if let app = labels["app"] { return app.hasSuffix("-service") ? String(app.dropLast("-service".count)) : app }
        if labels.isEmpty { return "everything in \(namespaces.joined(separator: ", "))" }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
