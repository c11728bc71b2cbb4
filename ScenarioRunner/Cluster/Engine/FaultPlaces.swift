import Experiments

/// Where a fault acts, in the words that the lab uses too.
struct FaultPlaces {
    /// The name of whoever is no pod of the namespace.
    let outside: String

    func places(of spec: Experiment.Spec, _ choice: PodChoice, all: [PodFacts]) -> Set<FaultPlan.Place> {
        guard case .network(let network) = spec else { return Set(choice.pods.map { .replica($0.name) }) }
        let named = (choice.targets ?? []).map(\.name) + network.otherExternalTargets.map(\.description)
        let others = named.isEmpty ? all.filter { !$0.isBeingDeleted }.map(\.name) + [outside] : named
        var places: Set<FaultPlan.Place> = []
        for source in choice.pods.map(\.name) {
            for other in others where other != source {
                if network.direction != .from { places.insert(.path(from: source, to: other)) }
                if network.direction != .to { places.insert(.path(from: other, to: source)) }
            }
        }
        return places
    }
}
