import Shared
import Testing

@testable import Experiments

@Suite struct ResilienceTextTests {
    @Test(arguments: [
        "naive", "hardened", "retry-storm", "hardened - hedging", "retry-storm + retry_budget",
        "naive + retry + circuit_breaker, inventory pool 2 x 80ms", "naive - deadlines",
    ])
    func whatIsWrittenIsReadBack(text: String) throws {
        #expect("\(try ResilienceSettings.parse(text))" == text)
    }

    @Test func whatItMeans() throws {
        let settings = try ResilienceSettings.parse("retry-storm + retry_budget, inventory pool 2 x 1s")
        #expect(settings.patterns == [.retry, .retryBudget])
        #expect(settings.inventoryPool == InventoryPool(connections: 2, holdMs: 1000))
    }

    @Test(arguments: [
        ("", "is empty"), ("brave", "'brave'"), ("naive retry", "'retry'"), ("naive +", "'+'"),
        ("naive + luck", "'luck'"), ("naive, pool 2", "'pool 2'"), ("naive, inventory pool 0 x 80ms", "inventory pool"),
        ("naive, inventory pool 2 x 6s", "1ms to 5s"), ("naive,,", "more than two"),
    ])
    func whatIsNotUnderstoodIsNamed(text: String, part: String) {
        let error = #expect(throws: QuantityError.self) { try ResilienceSettings.parse(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func annotationsOfAManifest() throws {
        func load(_ annotations: String) -> ManifestLoader.Contents {
            ManifestLoader.load(
                """
                apiVersion: chaos-mesh.org/v1alpha1
                kind: PodChaos
                metadata:
                  name: a
                  annotations: {\(annotations)}
                spec: {action: pod-failure, mode: one, duration: 1m, selector: {}}
                """, file: "a.yaml")
        }
        let good = load(#""payment-chaos.io/resilience": "hardened - retry", "payment-chaos.io/rate": 18/s"#)
        #expect(good.problems == [])
        #expect(good.experiments.first?.rate == 18)
        #expect(good.experiments.first?.resilience?.has(.retry) == false)
        #expect(load("").experiments.first?.rate == nil && load("").experiments.first?.resilience == nil)
        for rate in ["18", "0/s", "2001/s", "x/s"] {
            #expect(load(#""payment-chaos.io/rate": "\#(rate)""#).problems.first?.line == 5, "\(rate)")
        }
        #expect(load(#""payment-chaos.io/resilience": "brave""#).problems.first?.reason.contains("'brave'") == true)
    }
}
