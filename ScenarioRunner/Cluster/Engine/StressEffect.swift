import Experiments

/// Whether the containers still run in which a stress was begun. One that has ended took the workers with it, and Chaos
/// Mesh begins none in its successor, although its record goes on to say `Injected`.
struct StressEffect {
    private let holdsMemory: Bool
    /// As they were before.
    private let pods: [PodFacts]

    init(_ spec: StressChaosSpec, _ pods: [PodFacts]) {
        holdsMemory = (try? spec.resolvedLoad())?.memory != nil
        self.pods = pods
    }

    /// What the records say, less what is not there any more.
    ///
    /// - Parameter current: the namespace's pods now.
    func reading(_ records: TargetReading, _ current: [PodFacts]) -> TargetReading {
        var injected: [String] = []
        var troubles = records.troubles
        for target in records.injected {
            guard let end = end(of: target, current) else {
                injected.append(target)
                continue
            }
            // Memory that ran out is the dose itself: the kernel ends the container in which it was asked for.
            if holdsMemory {
                injected.append(target)
                troubles.append("\(target) \(end): its memory limit may be below the dose, and the workers are gone")
            } else {
                troubles.append("\(target) \(end): the workers are gone with it")
            }
        }
        return TargetReading(asked: records.asked, injected: injected, troubles: troubles)
    }

    /// - Parameter target: `payment-a/payment`, as a record names it.
    private func end(of target: String, _ current: [PodFacts]) -> String? {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let pod = pods.first(where: { $0.name == parts[0] }),
            let before = pod.containers.first(where: { $0.name == parts[1] })
        else { return nil }
        guard let now = current.first(where: { $0.uid == pod.uid })?.containers.first(where: { $0.name == parts[1] })
        else { return "is not there any more" }
        guard now.restarts > before.restarts || (before.id != nil && now.id != before.id) else { return nil }
        return "was started again, \(now.restarts) times now"
    }
}
