import Testing

@testable import Sandbox

@Suite struct StressSpecTests {
    private func group(_ name: String, millicores: Int?) -> Placement {
        let folders = ControlGroupFolders(cpu: "/cg/\(name)", memory: "/cg/\(name)")
        let limits = millicores.map { ResourceLimits(cpuMillicores: $0, memoryBytes: 1 << 20) }
        return .group(ControlGroup(name: name, limits: limits, version: .v2, folders: folders))
    }

    private func attainable(_ asked: Double, _ placements: [Placement], processors: Int = 8) -> Double {
        StressSpec.attainableCores(askedPerTarget: asked, placements: placements, processors: processors)
    }

    @Test func theLimitOfEachGroupBoundsIt() {
        #expect(attainable(0.8, [group("a", millicores: 200)]) == 0.2)
        #expect(attainable(0.1, [group("a", millicores: 200)]) == 0.1)
        #expect(attainable(0.5, [group("a", millicores: 250), group("b", millicores: nil)]) == 0.75)
    }

    @Test func oneProcessorIsOneCoreForAllThatArePinnedThere() {
        let zero = Placement.processor(Pinning(processor: 0))
        let one = Placement.processor(Pinning(processor: 1))
        #expect(attainable(0.8, [zero, zero, one]) == 1.8)
    }

    @Test func theMachineBoundsTheSum() {
        #expect(attainable(3, [group("a", millicores: nil), group("b", millicores: nil)], processors: 2) == 2)
    }

    @Test func memoryIsSharedOutToTheLastByte() {
        let spec = StressSpec.memory(workers: 3, bytes: 100)
        #expect((0..<3).map { spec.bytes(ofWorker: $0) } == [34, 33, 33])
        #expect(
            spec.arguments(ofWorker: 1, lifetime: .seconds(60)) == [
                "memory", "--bytes", "33", "--oom-score-adj=1000", "--duration-seconds", "60",
            ])
    }

    @Test func aDiskIsSharedOutAndEveryWorkerHasItsPlaceInTheTally() {
        let spec = StressSpec.disk(workers: 2, bytes: 5, folder: "/data")
        #expect((0..<2).map { spec.bytes(ofWorker: $0) } == [3, 2])
        #expect(spec.askedCores == 0)
        #expect(
            spec.arguments(ofWorker: 1, place: 5, lifetime: .seconds(60)) == [
                "disk", "--folder", "/data", "--bytes", "2", "--worker", "5", "--duration-seconds", "60",
            ])
    }

    @Test func aProcessorLoadIsPassedOn() {
        let spec = StressSpec.cpu(workers: 2, loadPercent: 80)
        #expect(spec.askedCores == 1.6)
        #expect(
            spec.arguments(ofWorker: 0, lifetime: .seconds(60)) == [
                "cpu", "--load", "80", "--duration-seconds", "60",
            ])
    }
}
