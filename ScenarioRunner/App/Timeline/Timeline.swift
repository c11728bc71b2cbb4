import Experiments

/// An experiment that consists of others.
struct Timeline: Sendable {
    enum Body: Sendable {
        case workflow(WorkflowSpec)
        case schedule(ScheduleSpec)
        case failureModes(FailureModesSpec)
    }

    let experiment: Experiment
    let body: Body
    let seed: UInt64

    /// Nil for a single fault.
    init?(_ experiment: Experiment, seed: UInt64) {
        switch experiment.spec {
        case .workflow(let spec): body = .workflow(spec)
        case .schedule(let spec): body = .schedule(spec)
        case .failureModes(let spec): body = .failureModes(spec)
        case .network, .stress, .pod, .http, .io, .statusCheck, .other: return nil
        }
        self.experiment = experiment
        self.seed = seed
    }

    /// Of a part: the same for the same seed and name, so that plan and run choose alike.
    func seed(of part: Experiment) -> UInt64 {
        var generator = SeededGenerator(seed: seed, purpose: part.name)
        return generator.next()
    }

    /// The chaos of a workflow's template, as an experiment of its own; nil for any other template.
    static func part(_ template: WorkflowSpec.Template, of spec: WorkflowSpec, in experiment: Experiment) -> Experiment?
    {
        guard let index = spec.templates.firstIndex(where: { $0.name == template.name }) else { return nil }
        let (name, path) = ("\(experiment.name).\(template.name)", "templates[\(index)]")
        switch template.body {
        case .chaos(let chaos):
            return experiment.part(chaos.spec, kind: chaos.kind, at: "\(path).\(chaos.field)", named: name)
        case .schedule(let schedule):
            return experiment.part(.schedule(schedule), kind: "Schedule", at: "\(path).schedule", named: name)
        case .serial, .parallel, .suspend, .statusCheck, .task: return nil
        }
    }

    /// What a schedule starts each time.
    static func part(_ spec: ScheduleSpec, in experiment: Experiment) -> Experiment {
        experiment.part(
            spec.bodySpec, kind: spec.type, at: spec.bodyField, named: "\(experiment.name).\(spec.bodyField)")
    }
}

extension Timeline {
    /// All places that any part acts in. Parts that follow each other touch no more replicas at a time than the widest
    /// of them.
    ///
    /// - Parameter planOf: plans a single fault with a seed.
    func plan(_ planOf: (Experiment, UInt64) throws -> FaultPlan) throws -> FaultPlan {
        switch body {
        case .workflow(let spec):
            return try plan(of: spec.entry, in: spec, planOf)
        case .schedule(let spec):
            let part = Self.part(spec, in: experiment)
            let each = try Timeline(part, seed: seed(of: part))?.plan(planOf) ?? planOf(part, seed(of: part))
            return each.prefixed("at each of \(spec.schedule)")
        case .failureModes(let spec):
            return FaultPlan(
                replicas: [], places: [.replica("payment failures")],
                steps: spec.steps.map {
                    .init(
                        location: "payment service's settings, \(GoDuration.text($0.offset)) after the start",
                        action: $0.modes.text, undo: "all failure modes off")
                })
        }
    }

    private func plan(
        of name: String, in spec: WorkflowSpec, _ planOf: (Experiment, UInt64) throws -> FaultPlan
    ) throws -> FaultPlan {
        guard let template = spec.template(named: name) else { return .nothing }
        if let part = Self.part(template, of: spec, in: experiment) {
            let plan = try Timeline(part, seed: seed(of: part))?.plan(planOf) ?? planOf(part, seed(of: part))
            return plan.prefixed(template.deadline.map { "\(name), for \(GoDuration.text($0))" } ?? name)
        }
        let children = try template.children.map { try plan(of: $0, in: spec, planOf) }
        switch template.body {
        case .parallel: return children.reduce(.nothing) { $0.beside($1) }
        default: return children.reduce(.nothing) { $0.followed(by: $1) }
        }
    }
}

extension FaultPlan {
    fileprivate static let nothing = FaultPlan(replicas: [], places: [], steps: [])

    fileprivate func prefixed(_ when: String) -> FaultPlan {
        FaultPlan(
            replicas: replicas, places: places,
            steps: steps.map { .init(location: "\(when): \($0.location)", action: $0.action, undo: $0.undo) })
    }

    fileprivate func beside(_ other: FaultPlan) -> FaultPlan {
        FaultPlan(
            replicas: replicas + other.replicas.filter { !replicas.contains($0) },
            places: places.union(other.places), steps: steps + other.steps)
    }

    fileprivate func followed(by other: FaultPlan) -> FaultPlan {
        FaultPlan(
            replicas: replicas.count >= other.replicas.count ? replicas : other.replicas,
            places: places.union(other.places), steps: steps + other.steps)
    }
}
