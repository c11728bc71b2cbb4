import Experiments
import Testing

@testable import Cluster

/// Containers that ended took the workers of a stress with them, whatever the records say.
@Suite struct StressEffectTests {
    private func pod(restarts: Int = 0, id: String = "containerd://1") -> PodFacts {
        var pod = PodFacts(name: "payment-a", namespace: "payment-chaos", uid: "1")
        pod.containers = [.init(name: "payment", isReady: true, restarts: restarts, id: id)]
        return pod
    }

    private let records = TargetReading(asked: 1, injected: ["payment-a/payment"], troubles: [])

    private func effect(_ stressors: String) throws -> StressEffect {
        let experiment = try TestExperiments.experiment(
            "StressChaos", "mode: all\nselector: {labelSelectors: {a: b}}\nstressors: {\(stressors)}")
        guard case .stress(let spec) = experiment.spec else { throw Unexpected() }
        return StressEffect(spec, [pod()])
    }

    private struct Unexpected: Error {}

    @Test func whileItRunsTheRecordsAreRight() throws {
        #expect(try effect("cpu: {workers: 1, load: 50}").reading(records, [pod()]) == records)
    }

    @Test func aLoadThatEndedWithItsContainerIsNoneAnyMore() throws {
        for now in [[pod(restarts: 1)], [pod(id: "containerd://2")], []] {
            let reading = try effect("cpu: {workers: 1, load: 50}").reading(records, now)
            #expect(reading.injected == [] && reading.troubles.count == 1)
            #expect(!Dose(.targets(reading)).effective)
        }
    }

    @Test func memoryThatRanOutWasTheDose() throws {
        let reading = try effect("memory: {workers: 1, size: 100MB}").reading(records, [pod(restarts: 2)])
        #expect(Dose(.targets(reading)).effective)
        #expect(reading.troubles.first?.hasPrefix("payment-a/payment was started again, 2 times now") == true)
    }
}
