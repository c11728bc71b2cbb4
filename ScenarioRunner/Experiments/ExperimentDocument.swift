import Shared

/// An experiment as `GET /api/experiments` shows it.
public struct ExperimentDocument: Codable, Sendable, Equatable {
    public let name: String
    public let kind: String
    public let file: String
    /// Of the name in the file, from 1.
    public let line: Int
    public let description: String
    /// Whom the fault touches: `payment -> inventory`.
    public let target: String
    /// As Go writes it, `5m`; absent when the manifest does not say.
    public let duration: String?
    /// The same in seconds.
    public let durationS: Double?
    /// What is expected to hold; nothing states one yet.
    public let hypothesis: String?
    public let stopConditions: [String]
    /// What the fault really does, with the true loss where correlation changes it.
    public let effectiveDose: String
    public let labels: [String: String]
    /// Whether this engine runs it in full.
    public let supported: Bool
    /// Why it cannot be run here; absent when it can.
    public let refusal: String?

    enum CodingKeys: String, CodingKey {
        case name, kind, file, line, description, target, duration, hypothesis, labels, supported, refusal
        case durationS = "duration_s"
        case stopConditions = "stop_conditions"
        case effectiveDose = "effective_dose"
    }

    /// - Parameter refusal: the engine's answer to ``ChaosEngine/refusal(of:)``.
    public init(_ experiment: Experiment, refusal: Refusal?) {
        name = experiment.name
        kind = experiment.kind
        file = experiment.file
        line = experiment.line
        description = experiment.description
        target = experiment.targetText
        duration = experiment.duration.map(GoDuration.text)
        durationS = experiment.duration.map(\.seconds)
        hypothesis = nil
        stopConditions = []
        effectiveDose = experiment.effectiveDoseText
        labels = experiment.labels
        supported = refusal == nil
        self.refusal = refusal?.description
    }
}
