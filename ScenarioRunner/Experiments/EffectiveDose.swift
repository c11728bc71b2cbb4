import Foundation

/// What an experiment really does, in words for a card: the true loss where correlation changes it.
extension Experiment {
    /// `drops 80 % of packets payment -> inventory`.
    public var effectiveDoseText: String {
        switch spec {
        case .network(let network): "\(network.doseText) \(network.pathText)"
        case .stress(let stress): "\(stress.doseText) in \(stress.target.text)"
        case .pod(let pod): pod.doseText
        case .other: "a \(kind), which the local lab only lists"
        }
    }

    /// Whom it touches: `payment -> inventory`, `one of payment`; empty for kinds that are only listed.
    public var targetText: String {
        switch spec {
        case .network(let network): network.pathText
        case .stress(let stress): stress.target.text
        case .pod(let pod): pod.target.text
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
            if let duplicate { parts.append("repeats \(duplicate.share) % of packets") }
            if let corrupt { parts.append("damages \(corrupt.share) % of packets") }
            if let rate { parts.append("limits the rate to \(rate)") }
            return parts.joined(separator: ", ")
        }
    }

    var pathText: String {
        let others = (target.map { [$0.text] } ?? []) + externalTargets.map(\.description)
        let other = others.isEmpty ? "everyone" : others.joined(separator: ", ")
        switch direction {
        case .to: return "\(source.text) -> \(other)"
        case .from: return "\(other) -> \(source.text)"
        case .both: return "\(source.text) <-> \(other)"
        }
    }
}

extension NetworkChaosSpec.Loss {
    fileprivate var text: String {
        guard correlation.basisPoints > 0 else { return "drops \(loss) % of packets" }
        let real = NetemCorrelation.longRunLoss(loss: loss.fraction, correlation: correlation.fraction)
        let percent = Percentage(basisPoints: Int((real * 100).rounded()) * 100)
        return "drops \(percent) % of packets (\(loss) % with correlation \(correlation))"
    }
}

extension NetworkChaosSpec.Delay {
    fileprivate var text: String {
        "delays packets by \(GoDuration.text(latency))" + (jitter > .zero ? " +- \(GoDuration.text(jitter))" : "")
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
            parts.append("writes and syncs \(MemorySize.bytes(disk.bytes)) without end (\(disk.workers) workers)")
        }
        return parts.joined(separator: " and ")
    }
}

extension PodChaosSpec {
    var doseText: String {
        switch action {
        case .podKill:
            return "kills \(target.text)" + (gracePeriod == 0 ? " at once" : " after \(gracePeriod) s to end by itself")
        case .podFailure: return "keeps \(target.text) down"
        case .containerKill: return "kills \(containerNames.joined(separator: ", ")) in \(target.text)"
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
