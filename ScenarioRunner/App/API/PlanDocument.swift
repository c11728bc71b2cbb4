import Experiments
import Shared

/// `GET /api/experiments/{name}/plan`: what a run would do, and why it would not.
struct PlanDocument: Codable, Sendable {
    let experiment: String
    let kind: String
    let engine: String
    let seed: UInt64
    /// Null when the manifest does not say.
    let durationS: Double?
    let effectiveDose: String
    let replicas: [String]
    /// Where it acts: `payment-0`, `payment-0 -> inventory-1`.
    let places: [String]
    let steps: [FaultPlan.Step]
    /// File, line, field and reason; null when it can be run here.
    let refusal: String?
    let choices: RunChoices

    /// - Parameter isTooWide: whether no run may do what is planned.
    init(
        _ experiment: Experiment, engine: any ChaosEngine, seed: UInt64, isTooWide: (FaultPlan) -> Bool
    ) throws {
        var plan = FaultPlan(replicas: [], places: [], steps: [])
        var refusal = engine.refusal(of: experiment)
        if refusal == nil {
            do { plan = try engine.plan(experiment, seed: seed) } catch let reason as Refusal { refusal = reason }
        }
        if refusal == nil, isTooWide(plan) { refusal = experiment.refusal("spec", Governor.Refusal.total) }
        self.experiment = experiment.name
        kind = experiment.kind
        self.engine = engine.name
        self.seed = seed
        durationS = experiment.duration?.seconds
        effectiveDose = experiment.effectiveDoseText
        replicas = plan.replicas
        places = plan.places.map(\.description).sorted()
        steps = plan.steps
        self.refusal = refusal?.description
        choices = RunChoices(experiment)
    }

    enum CodingKeys: String, CodingKey {
        case experiment, kind, engine, seed, replicas, places, steps, refusal, choices
        case durationS = "duration_s"
        case effectiveDose = "effective_dose"
    }

    // Written out for its nulls, which the synthesised one leaves away.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(experiment, forKey: .experiment)
        try container.encode(kind, forKey: .kind)
        try container.encode(engine, forKey: .engine)
        try container.encode(seed, forKey: .seed)
        try container.encode(durationS, forKey: .durationS)
        try container.encode(effectiveDose, forKey: .effectiveDose)
        try container.encode(replicas, forKey: .replicas)
        try container.encode(places, forKey: .places)
        try container.encode(steps, forKey: .steps)
        try container.encode(refusal, forKey: .refusal)
        try container.encode(choices, forKey: .choices)
    }
}
