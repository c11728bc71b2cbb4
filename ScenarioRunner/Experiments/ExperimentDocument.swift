import Shared

/// An experiment as `GET /api/experiments` shows it.
public struct ExperimentDocument: Codable, Sendable, Equatable {
    public let name: String
    public let kind: String
    public let file: String
    /// Of the name in that file, from 1.
    public let line: Int
    public let description: String
    /// Whom the fault touches: `payment -> inventory`.
    public let target: String
    /// As Go writes it, `5m`; null when the manifest does not say.
    public let duration: String?
    /// The same in seconds.
    public let durationS: Double?
    /// What is expected to hold: `success >= 30%, money right`; null when the manifest does not say.
    public let hypothesis: String?
    /// When a run ends early: `p99 > 8s for 5s`.
    public let stopConditions: [String]
    /// What the fault really does, with the true loss where correlation changes it.
    public let effectiveDose: String
    public let labels: [String: String]
    /// The manifest as it was read, as YAML: loading it gives the same experiment.
    public let manifest: String
    /// Whether it can be run here.
    public let supported: Bool
    /// Why it cannot: file, line, field and remedy; null when it can.
    public let refusal: String?

    enum CodingKeys: String, CodingKey {
        case name, kind, file, line, description, target, duration, hypothesis, labels, manifest, supported, refusal
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
        durationS = experiment.duration?.seconds
        hypothesis = experiment.hypothesis?.description
        stopConditions = experiment.stopConditions.map(\.description)
        effectiveDose = experiment.effectiveDoseText
        labels = experiment.labels
        // What was read from YAML can be written as such.
        manifest = (try? experiment.manifest.yaml) ?? ""
        supported = refusal == nil
        self.refusal = refusal?.description
    }

    // Written out for its nulls, which the synthesised one leaves away.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(file, forKey: .file)
        try container.encode(line, forKey: .line)
        try container.encode(description, forKey: .description)
        try container.encode(target, forKey: .target)
        try container.encode(duration, forKey: .duration)
        try container.encode(durationS, forKey: .durationS)
        try container.encode(hypothesis, forKey: .hypothesis)
        try container.encode(stopConditions, forKey: .stopConditions)
        try container.encode(effectiveDose, forKey: .effectiveDose)
        try container.encode(labels, forKey: .labels)
        try container.encode(manifest, forKey: .manifest)
        try container.encode(supported, forKey: .supported)
        try container.encode(refusal, forKey: .refusal)
    }
}
