import Shared

/// The `metadata` of a manifest: names, labels, and what the annotations say about the experiment.
struct ManifestMetadata {
    /// Annotations that begin so are ours; a misspelt one must not be passed over.
    private static let ownPrefix = "payment-chaos.io/"
    private static let ownAnnotations = [
        Experiment.descriptionAnnotation, Experiment.hypothesisAnnotation, Experiment.stopAnnotation,
        Experiment.resilienceAnnotation, Experiment.rateAnnotation, Experiment.runByAnnotation,
    ]

    let name: String
    let namespace: String
    let labels: [String: String]
    let annotations: [String: String]
    let hypothesis: Hypothesis?
    let stopConditions: [StopCondition]
    let resilience: ResilienceSettings?
    let rate: Int?
    private let fields: ManifestFields

    init(_ document: ManifestFields) throws(Refusal) {
        fields = try document.require("metadata", document.object("metadata"))
        try fields.allow(["name", "namespace", "labels", "annotations"])
        name = try fields.require("name", fields.string("name"))
        guard ManifestLoader.isDNSName(name) else {
            throw fields.refusal(
                "name", "'\(name)' is no Kubernetes name: lower-case letters, digits, '-' and '.', at most 253")
        }
        namespace = try fields.string("namespace") ?? "default"
        labels = try fields.stringMap("labels")
        annotations = try fields.stringMap("annotations")
        let notes = try fields.object("annotations")
        for key in annotations.keys.sorted() where key.hasPrefix(Self.ownPrefix) && !Self.ownAnnotations.contains(key) {
            let known = Self.ownAnnotations.joined(separator: ", ")
            throw notes?.refusal(key, "unknown annotation; known here: \(known)")
                ?? fields.refusal("annotations", "unknown annotation")
        }
        hypothesis = try notes?.quantity(Experiment.hypothesisAnnotation, Hypothesis.parse)
        stopConditions = try notes?.quantity(Experiment.stopAnnotation, StopCondition.parseList) ?? []
        resilience = try notes?.quantity(Experiment.resilienceAnnotation, ResilienceSettings.parse)
        rate = try notes?.quantity(Experiment.rateAnnotation, RateText.parse)
        _ = try notes?.choice(Experiment.runByAnnotation, of: Experiment.RunBy.self)
    }

    func requireLabel(_ key: String, _ value: String) throws(Refusal) {
        guard labels[key] == value else {
            throw fields.refusal("labels", "a ConfigMap is an experiment only with the label \(key): \(value)")
        }
    }
}
