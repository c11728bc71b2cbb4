import Experiments
import Testing

@testable import Sandbox

@Suite struct StressPlanTests {
    private let plan = StressPlan(
        machine: .init(totalMemory: 1000 << 20, availableMemory: 600 << 20, freeDisk: 100 << 20), dataFolder: "/data")

    private func held(_ name: String, memoryBytes: UInt64 = 128 << 20) -> StressPlan.Place {
        let folders = ControlGroupFolders(cpu: "/cg/\(name)", memory: "/cg/\(name)")
        let limits = ResourceLimits(cpuMillicores: 200, memoryBytes: memoryBytes)
        let group = ControlGroup(name: name, limits: limits, version: .v2, folders: folders)
        return .init(target: .init(replica: name, placement: .group(group)), memoryLimit: memoryBytes)
    }

    private func free(_ name: String, limit: UInt64? = nil) -> StressPlan.Place {
        .init(target: .init(replica: name, placement: .processor(Pinning(processor: 0))), memoryLimit: limit)
    }

    private func memory(_ size: MemorySize?, _ places: [StressPlan.Place]) throws -> [StressSpec] {
        try plan.parts(of: StressLoad(memory: .init(workers: 2, size: size, oomScoreAdjustment: -7)), in: places)
            .map(\.spec)
    }

    private func expected(_ bytes: UInt64) -> StressSpec {
        .memory(workers: 2, bytes: bytes, oomScoreAdjustment: -7)
    }

    @Test func aShareIsOfTheReplicasLimitAndOtherwiseOfTheMachine() throws {
        let half = UInt64(128 << 20) / 100 * 50
        #expect(try memory(.percent(50), [held("a")]) == [expected(half)])
        #expect(try memory(.percent(50), [free("a", limit: 128 << 20)]) == [expected(half)])
        #expect(try memory(.percent(10), [free("a")]) == [expected(UInt64(1000 << 20) / 100 * 10)])
        #expect(try memory(nil, [held("a")]) == [expected(128 << 20)], "all there is")
        #expect(try memory(.bytes(5), [held("a"), free("b")]) == [expected(5)])
    }

    @Test func replicasOfDifferentLimitsHoldDifferentAmounts() throws {
        let load = StressLoad(memory: .init(workers: 1, size: .percent(100)))
        let parts = try plan.parts(of: load, in: [held("a"), held("b", memoryBytes: 200), held("c")])
        #expect(parts.map { $0.targets.map(\.replica) } == [["b"], ["a", "c"]])
    }

    @Test func whatTheMachineCouldNotBearIsRefused() {
        func refusal(_ size: MemorySize?, _ places: [StressPlan.Place]) -> StressPlan.Excess? {
            #expect(throws: StressPlan.Excess.self) { try memory(size, places) }
        }
        #expect(refusal(.bytes(200 << 20), [free("a"), free("b")])?.field == "memory.size")
        #expect(refusal(nil, [free("a")])?.reason.contains("50 % of the 629 MB") == true)
        #expect(refusal(.bytes(301 << 20), [held("a"), free("b")]) != nil, "only the free one counts")
        #expect(throws: Never.self) { try memory(.bytes(301 << 20), [held("a"), held("b")]) }
        #expect(refusal(.percent(0), [held("a")])?.reason.contains("nothing") == true)
        #expect(refusal(.bytes(1 << 62), [free("a"), free("b"), free("c"), free("d")]) != nil, "no sum overflows")
    }

    @Test func disksAreShared() throws {
        let load = StressLoad(disk: .init(workers: 2, bytes: 20 << 20))
        let parts = try plan.parts(of: load, in: [held("a"), free("b")])
        #expect(parts.map(\.spec) == [.disk(workers: 2, bytes: 20 << 20, folder: "/data")])
        let refusal = #expect(throws: StressPlan.Excess.self) {
            try plan.parts(of: load, in: [held("a"), free("b"), free("c")])
        }
        #expect(refusal?.field == "disk")
    }

    @Test func oneLoadIsOnePartForEachKind() throws {
        let load = StressLoad(
            cpu: .init(workers: 1, load: 30), memory: .init(workers: 2, size: .bytes(9), oomScoreAdjustment: -7),
            disk: .init(workers: 1, bytes: 1))
        let parts = try plan.parts(of: load, in: [held("a")])
        #expect(
            parts.map(\.spec) == [
                .cpu(workers: 1, loadPercent: 30), expected(9), .disk(workers: 1, bytes: 1, folder: "/data"),
            ])
    }
}
