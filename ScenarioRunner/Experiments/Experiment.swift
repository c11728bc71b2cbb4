/// One fault, as its manifest states it.
///
/// ```
///   chaos-experiments/*.yaml --ManifestLoader--> Experiment --LabSupport--> engine
///                                   |                 |
///                                Refusal              '--> ExperimentDocument (cards, GET /api/experiments)
/// ```
public struct Experiment: Sendable, Equatable {
    /// What the fault is. Only the kinds that an engine of this project can run are read in full.
    public enum Spec: Sendable, Equatable {
        case network(NetworkChaosSpec)
        case stress(StressChaosSpec)
        case pod(PodChaosSpec)
        /// Listed by name; an engine refuses to run it.
        case other
    }

    /// The annotation that says in a sentence what the experiment does.
    public static let descriptionAnnotation = "payment-chaos.io/description"

    public let name: String
    /// `NetworkChaos`, `Schedule`, ... as the manifest says.
    public let kind: String
    /// The manifest's path as the user named it.
    public let file: String
    /// The line of the name, from 1.
    public let line: Int
    public let namespace: String
    public let labels: [String: String]
    public let annotations: [String: String]
    public let spec: Spec
    /// Where every field stands: `spec.loss.correlation` to its line.
    let lines: [String: Int]

    /// What the experiment does, in a sentence; empty when the manifest does not say.
    public var description: String { annotations[Self.descriptionAnnotation] ?? "" }

    /// How long the fault lasts; nil when the manifest does not say.
    public var duration: Duration? {
        switch spec {
        case .network(let network): network.duration
        case .stress(let stress): stress.duration
        case .pod(let pod): pod.duration
        case .other: nil
        }
    }

    /// Why this experiment is not run, pointing at `field`, or at the nearest field around it that is in the file.
    public func refusal(_ field: String, _ reason: String) -> Refusal {
        var place = field
        while lines[place] == nil, let dot = place.lastIndex(of: ".") { place = String(place[..<dot]) }
        return Refusal(file: file, line: lines[place] ?? line, field: field, reason: reason)
    }
}
