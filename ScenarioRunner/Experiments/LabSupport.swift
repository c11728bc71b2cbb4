/// What the local lab can run. Everything else is refused with the place of the field, never left out in silence.
///
/// ```
///   spec --obstacles--> [field: reason] --the first--> Refusal
/// ```
///
/// This is what can be known from the manifest alone. What depends on the machine and on who is there is looked at by
/// the engine.
public enum LabSupport {
    /// Busy workers that one machine bears for each replica.
    public static let maximumWorkers = 64
    /// The longest grace period, in seconds: no fault lasts longer.
    public static let maximumGracePeriod = 900

    /// Why the lab cannot run `experiment`, or nil when it can run every field of it.
    public static func refusal(of experiment: Experiment) -> Refusal? {
        experiment.labObstacles.first.map { experiment.refusal($0.field, $0.reason) }
    }
}

/// One thing in an experiment that no lab will do.
struct LabObstacle {
    /// Where the manifest asks for it: `spec.device`.
    let field: String
    let reason: String

    init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }
}

extension Experiment {
    fileprivate var labObstacles: [LabObstacle] {
        if case .other = spec { return [LabObstacle("kind", LabObstacle.needsCluster(kind))] }
        return spec.labObstacles(at: "spec", kind: kind)
    }
}

extension Experiment.Spec {
    /// What of this spec the lab cannot do, where `path` is the field that holds it.
    func labObstacles(at path: String, kind: String) -> [LabObstacle] {
        switch self {
        case .network(let network): network.labObstacles(at: path)
        case .stress(let stress): stress.labObstacles(at: path)
        case .pod(let pod): pod.labObstacles(at: path)
        case .schedule(let schedule): schedule.labObstacles(at: path)
        case .workflow(let workflow): workflow.labObstacles(at: path)
        case .failureModes: []
        case .http, .io, .other: [LabObstacle(path, LabObstacle.needsCluster(kind))]
        case .statusCheck:
            [LabObstacle(path, "a status check breaks nothing by itself: put it into a workflow")]
        }
    }
}

extension NetworkChaosSpec {
    func labObstacles(at path: String) -> [LabObstacle] {
        noLoss(at: path) + ignored(at: path) + places(at: path)
    }

    private func noLoss(at path: String) -> [LabObstacle] {
        guard isShaping, loss?.loss.basisPoints == 0 else { return [] }
        return [LabObstacle("\(path).loss.loss", "a loss of 0 % breaks nothing")]
    }

    /// Chaos Mesh passes over these in silence. Who wrote them expects something, so the lab says that it is not so.
    private func ignored(at path: String) -> [LabObstacle] {
        let shaping: [(String, Bool)] = [
            ("loss", loss != nil), ("delay", delay != nil), ("duplicate", duplicate != nil),
            ("corrupt", corrupt != nil), ("rate", rate != nil),
        ]
        let ignored = (isShaping ? [] : shaping) + (action == .bandwidth ? [] : [("bandwidth", bandwidth != nil)])
        return ignored.filter(\.1).map {
            LabObstacle("\(path).\($0.0)", "does nothing with action \(action.rawValue): take it away")
        } + loneHalves(at: path)
    }

    /// Of a peak rate and its bucket, one does nothing without the other.
    private func loneHalves(at path: String) -> [LabObstacle] {
        guard let bandwidth else { return [] }
        let (hasPeak, hasBurst) = ((bandwidth.peakrate ?? 0) > 0, (bandwidth.minburst ?? 0) > 0)
        guard hasPeak != hasBurst else { return [] }
        let (field, other) = hasPeak ? ("peakrate", "minburst") : ("minburst", "peakrate")
        return [LabObstacle("\(path).bandwidth.\(field)", "does nothing without \(other): write both, or none")]
    }

    private func places(at path: String) -> [LabObstacle] {
        var obstacles: [LabObstacle] = []
        let oneInterface =
            "a replica of the local lab has one network interface, whatever its name: take this field away"
        if device != nil { obstacles.append(LabObstacle("\(path).device", oneInterface)) }
        if targetDevice != nil { obstacles.append(LabObstacle("\(path).targetDevice", oneInterface)) }
        obstacles += LabObstacle.remoteCluster(remoteCluster, at: path)
        obstacles += source.selector.labObstacles(at: "\(path).selector")
        obstacles += target?.selector.labObstacles(at: "\(path).target.selector") ?? []
        return obstacles
    }
}

extension StressChaosSpec {
    func labObstacles(at path: String) -> [LabObstacle] {
        var obstacles: [LabObstacle] = []
        let words = "the local lab starts its own workers, which know none of stress-ng's options"
        if let cpu, !cpu.options.isEmpty { obstacles.append(LabObstacle("\(path).stressors.cpu.options", words)) }
        if let memory, !memory.options.isEmpty {
            obstacles.append(LabObstacle("\(path).stressors.memory.options", words))
        }
        obstacles += load(at: path)
        // Chaos Mesh passes over these in silence.
        if stressngStressors != nil, cpu != nil || memory != nil {
            obstacles.append(
                LabObstacle("\(path).stressors", "does nothing beside stressngStressors: take one of them away"))
        }
        obstacles += LabObstacle.remoteCluster(remoteCluster, at: path)
        return obstacles + target.selector.labObstacles(at: "\(path).selector")
    }

    private func load(at path: String) -> [LabObstacle] {
        let load: StressLoad
        do {
            load = try resolvedLoad()
        } catch {
            return [LabObstacle("\(path).stressngStressors", error.description)]
        }
        func field(_ name: String) -> String {
            stressngStressors == nil ? "\(path).stressors.\(name)" : "\(path).stressngStressors"
        }
        var obstacles: [LabObstacle] = []
        let workers = [("cpu", load.cpu?.workers), ("memory", load.memory?.workers), ("disk", load.disk?.workers)]
        for (stressor, count) in workers {
            guard let count, count > LabSupport.maximumWorkers else { continue }
            obstacles.append(
                LabObstacle(
                    field("\(stressor).workers"),
                    "\(count) workers a replica are more than the \(LabSupport.maximumWorkers) that the local "
                        + "lab starts"))
        }
        return obstacles
    }
}

extension PodChaosSpec {
    func labObstacles(at path: String) -> [LabObstacle] {
        var obstacles: [LabObstacle] = []
        if action == .podKill, gracePeriod > LabSupport.maximumGracePeriod {
            obstacles.append(
                LabObstacle(
                    "\(path).gracePeriod",
                    "\(gracePeriod) s are more than the \(LabSupport.maximumGracePeriod) s that a fault may last"))
        }
        // Chaos Mesh passes over these in silence.
        if action != .containerKill, !containerNames.isEmpty {
            obstacles.append(
                LabObstacle(
                    "\(path).containerNames", "does nothing with action \(action.rawValue): take it away"))
        }
        obstacles += LabObstacle.remoteCluster(remoteCluster, at: path)
        return obstacles + target.selector.labObstacles(at: "\(path).selector")
    }
}

extension Selector {
    /// The parts of a selector that ask for what the lab's replicas do not have.
    func labObstacles(at path: String) -> [LabObstacle] {
        let parts: [(String, Bool, String)] = [
            ("annotationSelectors", !annotations.isEmpty, "annotations"), ("fieldSelectors", !fields.isEmpty, "fields"),
            ("nodeSelectors", !nodeLabels.isEmpty, "nodes"), ("nodes", !nodes.isEmpty, "nodes"),
        ]
        return parts.filter(\.1).map {
            LabObstacle(
                "\(path).\($0.0)", "the replicas of the local lab have no \($0.2): select by label or name")
        }
    }
}

extension ScheduleSpec {
    func labObstacles(at path: String) -> [LabObstacle] {
        bodySpec.labObstacles(at: "\(path).\(bodyField)", kind: type)
    }
}

extension WorkflowSpec {
    func labObstacles(at path: String) -> [LabObstacle] {
        templates.enumerated().flatMap { $1.labObstacles(at: "\(path).templates[\($0)]") }
    }
}

extension WorkflowSpec.Template {
    fileprivate func labObstacles(at path: String) -> [LabObstacle] {
        switch body {
        case .serial, .parallel, .suspend, .statusCheck: []
        case .chaos(let chaos): chaos.spec.labObstacles(at: "\(path).\(chaos.field)", kind: chaos.kind)
        case .schedule(let schedule): schedule.labObstacles(at: "\(path).schedule")
        case .task(_, let branches):
            [
                LabObstacle(
                    branches == nil ? "\(path).task" : "\(path).conditionalBranches",
                    "a Task runs a container image: the local lab has none")
            ]
        }
    }
}

extension LabObstacle {
    fileprivate static func needsCluster(_ kind: String) -> String {
        "\(kind) needs a cluster: the local lab only lists it"
    }

    fileprivate static func remoteCluster(_ name: String?, at path: String) -> [LabObstacle] {
        guard let name else { return [] }
        return [LabObstacle("\(path).remoteCluster", "the local lab cannot reach the cluster '\(name)'")]
    }
}
