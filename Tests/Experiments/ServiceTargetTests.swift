import Testing

@testable import Experiments

/// The Service of a target, named beside its pods for those who know pods by addresses alone.
@Suite struct ServiceTargetTests {
    private func experiment(_ targets: String, mode: String = "all", labels: String = "app: inventory-service") throws
        -> Experiment
    {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: trial, namespace: payment-chaos}
            spec:
              action: loss
              mode: all
              selector: {labelSelectors: {app: payment-service}}
              loss: {loss: '80'}
              target: {mode: \(mode), selector: {labelSelectors: {\(labels)}}}
              externalTargets: [\(targets)]
            """
        let contents = ManifestLoader.load(text, file: "trial.yaml")
        return try #require(contents.experiments.first, "\(contents.problems)")
    }

    private func others(_ experiment: Experiment) -> [String] {
        guard case .network(let network) = experiment.spec else { return [] }
        return network.otherExternalTargets.map(\.description)
    }

    @Test(arguments: [
        "inventory-service", "inventory-service.payment-chaos", "inventory-service.payment-chaos.svc:5003",
        "Inventory-Service.payment-chaos.svc.cluster.local:5003",
    ])
    func itIsTheTargetAgain(name: String) throws {
        let experiment = try experiment("\"\(name)\", example.com")
        #expect(others(experiment) == ["example.com"])
        #expect(experiment.effectiveDoseText == "drops 80 % of packets payment -> inventory, example.com")
    }

    @Test(arguments: ["notification-service", "inventory-service.elsewhere.svc", "inventory-service.example.com"])
    func anotherOneIsNot(name: String) throws {
        #expect(others(try experiment(name)) == [name])
    }

    @Test func besideSomeOfItsPodsItIsMore() throws {
        #expect(others(try experiment("inventory-service", mode: "one")) == ["inventory-service"])
        let some = try experiment("inventory-service", labels: "app: inventory-service, zone: a")
        #expect(others(some) == ["inventory-service"])
    }
}
