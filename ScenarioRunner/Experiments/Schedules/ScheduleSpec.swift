/// An experiment that is started again and again (Chaos Mesh 2.8: `ScheduleSpec`), every field of it.
public struct ScheduleSpec: Sendable, Equatable {
    public enum ConcurrencyPolicy: String, Sendable, CaseIterable {
        /// A start is left out while the one before is still under way.
        case forbid = "Forbid"
        case allow = "Allow"
    }

    public enum Body: Sendable, Equatable {
        case chaos(EmbeddedChaos)
        case workflow(WorkflowSpec)
    }

    public let schedule: CronSchedule
    public let concurrencyPolicy: ConcurrencyPolicy
    /// How many of its past experiments are kept, 1 or more; nil is Chaos Mesh's own choice.
    public let historyLimit: Int?
    /// A start that is later than this is left out; nil: never too late.
    public let startingDeadlineSeconds: Int?
    public let body: Body

    /// `NetworkChaos`, ..., `Workflow`.
    public var type: String {
        switch body {
        case .chaos(let chaos): chaos.kind
        case .workflow: Self.workflowType
        }
    }

    /// The field of the body: `networkChaos`, `workflow`.
    public var bodyField: String {
        switch body {
        case .chaos(let chaos): chaos.field
        case .workflow: "workflow"
        }
    }

    /// What is started each time.
    public var bodySpec: Experiment.Spec {
        switch body {
        case .chaos(let chaos): chaos.spec
        case .workflow(let workflow): .workflow(workflow)
        }
    }

    fileprivate static let workflowType = "Workflow"
}

extension ScheduleSpec {
    /// - Parameter inWorkflow: a workflow's schedule may start everything but another workflow.
    init(_ fields: ManifestFields, namespace: String, inWorkflow: Bool = false) throws(Refusal) {
        schedule = try fields.require("schedule", fields.quantity("schedule", CronSchedule.parse))
        concurrencyPolicy = try fields.choice("concurrencyPolicy", of: ConcurrencyPolicy.self) ?? .forbid
        historyLimit = try fields.integer("historyLimit", in: 1...Int(Int32.max))
        startingDeadlineSeconds = try fields.integer("startingDeadlineSeconds", in: 0...Int(Int32.max))
        let type = try fields.require("type", fields.string("type"))
        let own = ["concurrencyPolicy", "historyLimit", "schedule", "startingDeadlineSeconds", "type"]
        if type == Self.workflowType, !inWorkflow {
            try fields.allow(own + ["workflow"])
            let workflow = try fields.require("workflow", fields.object("workflow"))
            body = .workflow(try WorkflowSpec(workflow, namespace: namespace))
        } else {
            guard let field = EmbeddedChaos.fields[type] else {
                let known = EmbeddedChaos.fields.keys.sorted() + (inWorkflow ? [] : [Self.workflowType])
                throw fields.refusal("type", "'\(type)' is not one of \(known.joined(separator: ", "))")
            }
            try fields.allow(own + [field])
            body = .chaos(try EmbeddedChaos(fields, kind: type, namespace: namespace))
        }
    }
}
