import Experiments
import Foundation
import Sandbox
import Shared
import Verdict

/// Where runs take place: what every journal made there says alike.
struct RunSite: Sendable {
    let machine = RunMachine.current
    private let findings: @Sendable () -> [Finding]
    let system: SystemUnderTest

    /// - Parameter findings: what the doctor says now.
    init(findings: @escaping @Sendable () -> [Finding] = { [] }, system: SystemUnderTest) {
        self.findings = findings
        self.system = system
    }

    var doctor: [String: DoctorFinding] {
        Dictionary(
            findings().map {
                ($0.name, DoctorFinding(status: $0.status.rawValue, detail: $0.detail, remedy: $0.remedy))
            }
        ) { first, _ in first }
    }

    /// As it is now, without what is broken, which is the run's.
    var topology: RunTopology { RunTopology(system.replicas()) }

    /// The topology with the places of a fault.
    func topology(broken plan: FaultPlan?, label: String) -> RunTopology {
        var topology = topology
        topology.broken = (plan?.places ?? []).sorted { $0.description < $1.description }.map { place in
            switch place {
            case .replica(let name): .init(from: name, label: label)
            case .path(let from, let to): .init(from: from, to: to, label: label)
            }
        }
        return topology
    }
}

extension RunTopology {
    /// Users call the payment service, which calls the other two.
    fileprivate init(_ replicas: [SystemUnderTest.Replica]) {
        let services = SystemUnderTest.services.map { service in
            Service(name: service.name, replicas: replicas.filter { $0.tier == service.tier }.map(\.name))
        }
        let names = services.map(\.name)
        var paths = names.first.map { [Path(from: SystemUnderTest.client, to: $0)] } ?? []
        paths += names.dropFirst().map { Path(from: names[0], to: $0) }
        self.init(services: services, paths: paths)
    }
}

extension RunMachine {
    /// The one that this program runs on.
    fileprivate static var current: RunMachine {
        var name = utsname()
        uname(&name)
        let kernel = withUnsafeBytes(of: &name.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let process = ProcessInfo.processInfo
        return RunMachine(
            kernel: kernel, cores: process.activeProcessorCount, memoryBytes: process.physicalMemory,
            programVersion: Version.current)
    }
}
