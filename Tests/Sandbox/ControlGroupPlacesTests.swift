import Foundation
import Testing

@testable import Sandbox

@Suite struct ControlGroupPlacesTests {
    private func places(
        mounts: String, own: String, controllers: [String: [String]] = [:], missing: Set<String> = []
    ) -> [ControlGroupPlaces.Place] {
        ControlGroupPlaces(
            mounts: MountTable(parsing: mounts), ownGroups: own, controllers: { controllers[$0] ?? [] },
            exists: { !missing.contains($0) }
        ).candidates
    }

    @Test func version1HasAFolderForEachController() {
        let found = places(
            mounts: """
                cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
                cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
                cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
                """,
            own: "4:memory:/job/7\n1:cpu:/\n0::/\n")
        let roots = ControlGroupFolders(cpu: "/sys/fs/cgroup/cpu", memory: "/sys/fs/cgroup/memory")
        let mine = ControlGroupFolders(cpu: roots.cpu, memory: "/sys/fs/cgroup/memory/job/7")
        #expect(found.map(\.version) == [.v1, .v1])
        #expect(found.map(\.parents) == [roots, mine])
    }

    @Test func controllersThatShareAFolderAreOneFolder() {
        let found = places(
            mounts: """
                cgroup /cg/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
                cgroup /cg/memory cgroup rw,memory 0 0
                """,
            own: "2:cpu,cpuacct:/\n1:memory:/\n")
        #expect(found.first?.parents.distinct == ["/cg/cpu,cpuacct", "/cg/memory"])
    }

    @Test func aGroupThatIsNotVisibleFromHereIsNoPlace() {
        let found = places(
            mounts: "cgroup /cg/cpu cgroup rw,cpu 0 0\ncgroup /cg/memory cgroup rw,memory 0 0\n",
            own: "2:cpu:/docker/1\n1:memory:/docker/1\n", missing: ["/cg/cpu/docker/1"])
        #expect(found.map(\.parents.cpu) == ["/cg/cpu"])
    }

    @Test func version2GoesFromTheRootToTheOwnGroupAndUp() {
        let both = ["cpu", "memory", "pids"]
        let found = places(
            mounts: "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n", own: "0::/user.slice/app.slice/run.scope\n",
            controllers: [
                "/sys/fs/cgroup": both, "/sys/fs/cgroup/user.slice": ["pids"],
                "/sys/fs/cgroup/user.slice/app.slice": both, "/sys/fs/cgroup/user.slice/app.slice/run.scope": both,
            ])
        #expect(
            found.map(\.parents.cpu) == [
                "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/app.slice/run.scope",
                "/sys/fs/cgroup/user.slice/app.slice",
            ])
        #expect(found.allSatisfy { $0.version == .v2 && $0.parents.distinct.count == 1 })
    }

    @Test func version2WithoutTheControllersIsNoPlace() async {
        let none = ControlGroupPlaces(
            mounts: MountTable(parsing: "cgroup2 /cg cgroup2 rw 0 0\n"), ownGroups: "0::/\n",
            controllers: { _ in ["hugetlb"] }, exists: { _ in true })
        #expect(none.candidates.isEmpty)
        let error = await #expect(throws: ControlGroupError.self) {
            _ = try await ControlGroups.open(labName: "test", places: none)
        }
        #expect(error?.description.contains("Run as root") == true)
    }

    @Test func thePlaceThatRefusesIsNamed() async throws {
        let folder = "/proc/no-such-place"
        let refusing = ControlGroupPlaces(
            mounts: MountTable(parsing: "cgroup \(folder) cgroup rw,cpu,memory 0 0\n"), ownGroups: "",
            controllers: { _ in [] }, exists: { _ in true })
        let error = await #expect(throws: ControlGroupError.self) {
            _ = try await ControlGroups.open(labName: "test", places: refusing)
        }
        #expect(error?.description.contains("mkdir \(folder)/payment-chaos-test") == true)
    }

    @Test func mountPointsWithSpacesAreRead() {
        let table = MountTable(parsing: "cgroup2 /my\\040groups cgroup2 rw 0 0\nbroken line\n")
        #expect(table.unified == "/my groups")
        #expect(table.mounts.count == 1)
    }

    @Test func limitsAreWrittenInTheKernelsUnits() {
        let limits = ResourceLimits.deployment
        #expect(
            limits.settings(.v2).map { "\($0.file)=\($0.value)" } == [
                "cpu.max=20000 100000", "memory.max=134217728", "memory.swap.max=0",
            ])
        #expect(
            limits.settings(.v1).map { "\($0.file)=\($0.value)" } == [
                "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=20000", "memory.limit_in_bytes=134217728",
                "memory.memsw.limit_in_bytes=134217728",
            ])
        #expect(limits.settings(.v1).filter(\.optional).map(\.file) == ["memory.memsw.limit_in_bytes"])
    }

    @Test func countersAreReadByName() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
        #expect(ControlGroup.counter("oom_kill", in: text) == 3)
        #expect(ControlGroup.counter("missing", in: text) == 0)
    }

    @Test func replicasAreSpreadOverTheProcessors() {
        #expect(Pinning.parse(list: "0-2,5") == [0, 1, 2, 5])
        #expect(Pinning.parse(list: "3") == [3])
        #expect(Pinning.parse(list: "x") == [])
        #expect(Pinning.parse(list: "2-1") == [])
        #expect((0..<5).map { Pinning(replica: $0, among: [1, 4]).processor } == [1, 4, 1, 4, 1])
        #expect(!Pinning.allowedProcessors().isEmpty)
        #expect(Pinning(processor: 1).enter(["/bin/true"]) == ["/usr/bin/taskset", "--cpu-list", "1", "/bin/true"])
    }
}
