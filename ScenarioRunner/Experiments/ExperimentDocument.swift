/// An experiment as `GET /api/experiments` shows it.
public struct ExperimentDocument: Codable, Sendable, Equatable {
    public let name: String
    public let kind: String
    public let file: String
    public let description: String
    /// Whom the fault touches: `payment -> inventory`.
    public let target: String
    /// As Go writes it, `5m`; absent when the manifest does not say.
    public let duration: String?
    /// What is expected to hold; nothing states one yet.
    public let hypothesis: String?
    public let stopConditions: [String]
    /// What the fault really does, with the true loss where correlation changes it.
    public let effectiveDose: String
    public let labels: [String: String]
    /// Why it cannot be run here; absent when it can.
    public let refusal: String?

    enum CodingKeys: String, CodingKey {
        case name, kind, file, description, target, duration, hypothesis, labels, refusal
        case stopConditions = "stop_conditions"
        case effectiveDose = "effective_dose"
    }

    /// - Parameter refusal: the engine's answer to ``ChaosEngine/refusal(of:)``.
    public init(_ experiment: Experiment, refusal: Refusal?) {
        name = experiment.name
        kind = experiment.kind
        file = experiment.file
        description = experiment.description
        target = experiment.targetText
        duration = experiment.duration.map(GoDuration.text)
        hypothesis = nil
        stopConditions = []
        effectiveDose = experiment.effectiveDoseText
        labels = experiment.labels
        self.refusal = refusal?.description
    }
}
