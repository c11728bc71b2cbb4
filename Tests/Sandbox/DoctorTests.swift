import Experiments
import Foundation
import Testing

@testable import Sandbox

@Suite struct DoctorTests {
    @Test func anExaminationNamesEverythingOnceAndWhatToDo() async throws {
        let findings = await Doctor.examine(ports: [0], databaseFolder: NSTemporaryDirectory() + "none/such")
        let names = findings.map(\.name)
        #expect(
            names == [
                "kernel", "unshare", "nsenter", "ip", "nft", "taskset", "python3", "namespaces", "nft numgen",
                "veth", "tun", "cgroups", "port 0", "memory", "processors", "data folder",
            ])
        #expect(findings.allSatisfy { !$0.detail.isEmpty })
        #expect(findings.allSatisfy { $0.status != .ok || $0.remedy == nil })
    }

    @Test(.enabled("needs namespaces") { await Again.access() != nil })
    func whatTheOtherTestsUseIsFound() async {
        let status = Dictionary(uniqueKeysWithValues: await Doctor.examine(ports: []).map { ($0.name, $0.status) })
        for name in ["unshare", "nsenter", "ip", "nft", "namespaces", "nft numgen", "veth"] {
            #expect(status[name] == .ok, "\(name)")
        }
    }

    @Test func withoutNamespacesNothingIsTriedInThem() async {
        let support = NamespaceSupport.unavailable(reason: "Operation not permitted", remedy: "run as root")
        #expect(
            NetworkChecks.namespaces(support)
                == Finding(
                    name: "namespaces", status: .missing,
                    detail: "Operation not permitted: only the plain lab, without network faults",
                    remedy: "run as root"))
        #expect(await NetworkChecks.features(support).allSatisfy { $0.status != .ok })
    }

    @Test func aMissingToolNamesItsPackageAndWhatIsLost() {
        let findings = ToolChecks.findings { $0 == "nft" ? nil : "/sbin/\($0)" }
        #expect(findings.filter { $0.status != .ok }.map(\.name) == ["nft"])
        #expect(
            findings.contains(
                Finding(
                    name: "nft", status: .missing,
                    detail: "not installed: only the plain lab, without network faults",
                    remedy: "apt-get install nftables")))
    }

    @Test(arguments: [
        ("6.1.0-18-amd64", Finding.Status.ok), ("5.4.0", .ok), ("5.3.18", .degraded), ("4.19", .degraded),
        ("6.18.44-fc", .ok), ("nonsense", .degraded),
    ])
    func theKernelMustBeNewEnough(release: String, status: Finding.Status) {
        #expect(MachineChecks.kernel(release: release).status == status)
    }

    @Test func aTakenPortIsMissing() throws {
        let taken = try TestSocket.bound(SOCK_STREAM)
        let finding = MachineChecks.port(taken.port)
        #expect(finding.status == .missing)
        #expect(finding.remedy?.contains("port \(taken.port) on 127.0.0.1 is taken") == true)
    }

    @Test func theFolderNeedNotExistAndIsNotMade() {
        let path = NSTemporaryDirectory() + "doctor-\(UInt64.random(in: 0...UInt64.max))/data"
        #expect(MachineChecks.folder(path).status != .missing)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(MachineChecks.folder("/proc/1/none/such").status == .missing)
    }

    @Test func groupsAreFoundInBothVersions() {
        let mounts = """
            30 24 0:26 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw
            31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct
            32 24 0:28 /docker/abc /sys/fs/cgroup/memory rw shared:6 - cgroup cgroup rw,memory
            33 24 0:29 / /proc rw - proc proc rw
            """
        let membership = "5:memory:/docker/abc/x\n4:cpu,cpuacct:/user\n0::/init.scope\n"
        let unified = CgroupChecks.Group(version: 2, folder: "/sys/fs/cgroup/unified/init.scope")
        #expect(
            CgroupChecks.groups(of: "cpu", mounts: mounts, membership: membership)
                == [.init(version: 1, folder: "/sys/fs/cgroup/cpu,cpuacct/user"), unified])
        #expect(
            CgroupChecks.groups(of: "memory", mounts: mounts, membership: membership)
                == [.init(version: 1, folder: "/sys/fs/cgroup/memory/x"), unified])
        #expect(CgroupChecks.groups(of: "cpu", mounts: "", membership: "") == [])
    }

    @Test func theTableIsAlignedAndRemediesStandBelow() {
        let findings = [
            Finding(name: "nft", status: .missing, detail: "not installed", remedy: "apt-get install nftables"),
            Finding(name: "kernel", status: .ok, detail: "Linux 6.1"),
        ]
        #expect(
            Doctor.render(findings) == """
                missing   nft     not installed
                                  remedy: apt-get install nftables
                ok        kernel  Linux 6.1

                """)
        #expect(Doctor.render([]) == "")
    }
}
