/// What the local lab can run. Everything else is refused with the place of the field, never left out in silence.
///
/// ```
///   spec --demands--> [field: feature | never] --first one that cannot be met--> Refusal
/// ```
public enum LabSupport {
    /// Busy workers that one machine bears for each replica.
    public static let maximumWorkers = 64
    /// The longest grace period, in seconds: no fault lasts longer.
    public static let maximumGracePeriod = 900

    /// Why the lab cannot run `experiment`, or nil when it can run every field of it.
    public static func refusal(of experiment: Experiment) -> Refusal? {
        // What will never be possible comes first: waiting for an engine would not help.
        lastingRefusal(of: experiment) ?? first(of: experiment.labDemands, in: experiment)
    }

    /// Why no lab will ever run `experiment`, such as for a field that only clusters have; nil when one could.
    public static func lastingRefusal(of experiment: Experiment) -> Refusal? {
        first(of: experiment.labDemands.filter(\.isImpossible), in: experiment)
    }

    private static func first(of demands: [LabDemand], in experiment: Experiment) -> Refusal? {
        for demand in demands {
            if let reason = demand.refusal { return experiment.refusal(demand.field, reason) }
        }
        return nil
    }
}

extension Experiment {
    fileprivate var labDemands: [LabDemand] {
        if case .other = spec { return [LabDemand("kind", never: LabDemand.needsCluster(kind))] }
        return spec.labDemands(at: "spec", kind: kind)
    }
}

extension Experiment.Spec {
    /// What this spec asks of the lab, where `path` is the field that holds it.
    func labDemands(at path: String, kind: String) -> [LabDemand] {
        switch self {
        case .network(let network): network.labDemands(at: path)
        case .stress(let stress): stress.labDemands(at: path)
        case .pod(let pod): pod.labDemands(at: path)
        case .schedule(let schedule): schedule.labDemands(at: path)
        case .workflow(let workflow): workflow.labDemands(at: path)
        case .failureModes: [LabDemand(path, .failureModes)]
        case .http, .io, .other: [LabDemand(path, never: LabDemand.needsCluster(kind))]
        case .statusCheck:
            [LabDemand(path, never: "a status check breaks nothing by itself: put it into a workflow")]
        }
    }
}

extension NetworkChaosSpec {
    func labDemands(at path: String) -> [LabDemand] {
        effectDemands(at: path) + ignoredDemands(at: path) + placeDemands(at: path)
    }

    private func effectDemands(at path: String) -> [LabDemand] {
        var demands: [LabDemand] = []
        switch action {
        case .partition: demands.append(LabDemand("\(path).action", .partition))
        case .bandwidth: demands.append(LabDemand("\(path).bandwidth", .bandwidth))
        case .netem, .delay, .loss, .duplicate, .corrupt:
            if let loss {
                if loss.loss.basisPoints == 0 {
                    demands.append(LabDemand("\(path).loss.loss", never: "a loss of 0 % breaks nothing"))
                }
                if loss.correlation.basisPoints > 0 {
                    demands.append(LabDemand("\(path).loss.correlation", .correlatedLoss))
                }
            }
            if let delay {
                demands.append(LabDemand("\(path).delay", .delay))
                if delay.reorder != nil { demands.append(LabDemand("\(path).delay.reorder", .reorder)) }
            }
            if duplicate != nil { demands.append(LabDemand("\(path).duplicate", .duplicate)) }
            if corrupt != nil { demands.append(LabDemand("\(path).corrupt", .corrupt)) }
            if rate != nil { demands.append(LabDemand("\(path).rate", .rate)) }
        }
        return demands
    }

    /// Chaos Mesh passes over these in silence. Who wrote them expects something, so the lab says that it is not so.
    private func ignoredDemands(at path: String) -> [LabDemand] {
        let shaping: [(String, Bool)] = [
            ("loss", loss != nil), ("delay", delay != nil), ("duplicate", duplicate != nil),
            ("corrupt", corrupt != nil), ("rate", rate != nil),
        ]
        let ignored = (isShaping ? [] : shaping) + (action == .bandwidth ? [] : [("bandwidth", bandwidth != nil)])
        return ignored.filter(\.1).map {
            LabDemand("\(path).\($0.0)", never: "does nothing with action \(action.rawValue): take it away")
        } + loneDemands(at: path)
    }

    /// Of a peak rate and its bucket, one does nothing without the other.
    private func loneDemands(at path: String) -> [LabDemand] {
        guard let bandwidth else { return [] }
        let (hasPeak, hasBurst) = ((bandwidth.peakrate ?? 0) > 0, (bandwidth.minburst ?? 0) > 0)
        guard hasPeak != hasBurst else { return [] }
        let (field, other) = hasPeak ? ("peakrate", "minburst") : ("minburst", "peakrate")
        return [LabDemand("\(path).bandwidth.\(field)", never: "does nothing without \(other): write both, or none")]
    }

    private func placeDemands(at path: String) -> [LabDemand] {
        var demands: [LabDemand] = []
        let oneInterface =
            "a replica of the local lab has one network interface, whatever its name: take this field away"
        if device != nil { demands.append(LabDemand("\(path).device", never: oneInterface)) }
        if targetDevice != nil { demands.append(LabDemand("\(path).targetDevice", never: oneInterface)) }
        if !externalTargets.isEmpty { demands.append(LabDemand("\(path).externalTargets", .externalTargets)) }
        demands += LabDemand.remoteCluster(remoteCluster, at: path)
        demands += source.selector.labDemands(at: "\(path).selector")
        demands += target?.selector.labDemands(at: "\(path).target.selector") ?? []
        return demands
    }
}

extension StressChaosSpec {
    func labDemands(at path: String) -> [LabDemand] {
        var demands: [LabDemand] = []
        if stressngStressors != nil { demands.append(LabDemand("\(path).stressngStressors", .stressNGWords)) }
        let words = "the local lab starts its own workers, which know none of stress-ng's options"
        if let cpu, !cpu.options.isEmpty { demands.append(LabDemand("\(path).stressors.cpu.options", never: words)) }
        if let memory, !memory.options.isEmpty {
            demands.append(LabDemand("\(path).stressors.memory.options", never: words))
        }
        if !containerNames.isEmpty { demands.append(LabDemand("\(path).containerNames", .containers)) }
        demands += loadDemands(at: path)
        // Chaos Mesh passes over these in silence.
        if stressngStressors != nil, cpu != nil || memory != nil {
            demands.append(
                LabDemand("\(path).stressors", never: "does nothing beside stressngStressors: take one of them away"))
        }
        demands += LabDemand.remoteCluster(remoteCluster, at: path)
        return demands + target.selector.labDemands(at: "\(path).selector")
    }

    private func loadDemands(at path: String) -> [LabDemand] {
        let load: StressLoad
        do {
            load = try resolvedLoad()
        } catch {
            return [LabDemand("\(path).stressngStressors", never: error.description)]
        }
        func field(_ name: String) -> String {
            stressngStressors == nil ? "\(path).stressors.\(name)" : "\(path).stressngStressors"
        }
        var demands: [LabDemand] = []
        let workers = [("cpu", load.cpu?.workers), ("memory", load.memory?.workers), ("disk", load.disk?.workers)]
        for (stressor, count) in workers {
            guard let count, count > LabSupport.maximumWorkers else { continue }
            demands.append(
                LabDemand(
                    field("\(stressor).workers"),
                    never: "\(count) workers a replica are more than the \(LabSupport.maximumWorkers) that the local "
                        + "lab starts"))
        }
        if let memory = load.memory {
            if case .bytes = memory.size {} else { demands.append(LabDemand(field("memory.size"), .shareOfMemory)) }
            if memory.oomScoreAdjustment != 0 {
                demands.append(LabDemand(field("memory.oomScoreAdj"), .outOfMemoryScore))
            }
        }
        if load.disk != nil { demands.append(LabDemand(field("disk"), .disk)) }
        return demands
    }
}

extension PodChaosSpec {
    func labDemands(at path: String) -> [LabDemand] {
        var demands: [LabDemand] = []
        switch action {
        case .podKill:
            demands.append(LabDemand("\(path).action", .podKill))
            if gracePeriod > LabSupport.maximumGracePeriod {
                demands.append(
                    LabDemand(
                        "\(path).gracePeriod",
                        never: "\(gracePeriod) s are more than the \(LabSupport.maximumGracePeriod) s that a fault may "
                            + "last"))
            }
        case .podFailure: demands.append(LabDemand("\(path).action", .podFailure))
        case .containerKill: demands.append(LabDemand("\(path).action", .containerKill))
        }
        // Chaos Mesh passes over these in silence.
        if action != .containerKill, !containerNames.isEmpty {
            demands.append(
                LabDemand(
                    "\(path).containerNames", never: "does nothing with action \(action.rawValue): take it away"))
        }
        demands += LabDemand.remoteCluster(remoteCluster, at: path)
        return demands + target.selector.labDemands(at: "\(path).selector")
    }
}

extension Selector {
    /// The parts of a selector that ask for what the lab's replicas do not have.
    func labDemands(at path: String) -> [LabDemand] {
        let parts: [(String, Bool, String)] = [
            ("annotationSelectors", !annotations.isEmpty, "annotations"), ("fieldSelectors", !fields.isEmpty, "fields"),
            ("nodeSelectors", !nodeLabels.isEmpty, "nodes"), ("nodes", !nodes.isEmpty, "nodes"),
        ]
        return parts.filter(\.1).map {
            LabDemand(
                "\(path).\($0.0)", never: "the replicas of the local lab have no \($0.2): select by label or name")
        }
    }
}

extension ScheduleSpec {
    func labDemands(at path: String) -> [LabDemand] {
        [LabDemand("\(path).schedule", .schedule)]
            + bodySpec.labDemands(at: "\(path).\(bodyField)", kind: type)
    }
}

extension WorkflowSpec {
    func labDemands(at path: String) -> [LabDemand] {
        [LabDemand("\(path).entry", .workflow)]
            + templates.enumerated().flatMap { $1.labDemands(at: "\(path).templates[\($0)]") }
    }
}

extension WorkflowSpec.Template {
    fileprivate func labDemands(at path: String) -> [LabDemand] {
        switch body {
        case .serial, .parallel, .suspend: []
        case .chaos(let chaos): chaos.spec.labDemands(at: "\(path).\(chaos.field)", kind: chaos.kind)
        case .schedule(let schedule): schedule.labDemands(at: "\(path).schedule")
        case .statusCheck: [LabDemand("\(path).statusCheck", .statusCheck)]
        case .task(_, let branches):
            [
                LabDemand(
                    branches == nil ? "\(path).task" : "\(path).conditionalBranches",
                    never: "a Task runs a container image: the local lab has none")
            ]
        }
    }
}

extension LabDemand {
    fileprivate static func needsCluster(_ kind: String) -> String {
        "\(kind) needs a cluster: the local lab only lists it"
    }

    fileprivate static func remoteCluster(_ name: String?, at path: String) -> [LabDemand] {
        guard let name else { return [] }
        return [LabDemand("\(path).remoteCluster", never: "the local lab cannot reach the cluster '\(name)'")]
    }
}
