import Experiments
import Foundation
import Sandbox
import Shared
import Verdict

/// Where runs take place: what every journal of one lab says alike.
struct RunSite: Sendable {
    var machine: RunMachine
    var doctor: [String: DoctorFinding]
    /// Without what is broken, which is the run's.
    var topology: RunTopology

    init(findings: [Finding] = [], topology: LabTopology = LabTopology()) {
        machine = .current
        doctor = Dictionary(
            findings.map { ($0.name, DoctorFinding(status: $0.status.rawValue, detail: $0.detail, remedy: $0.remedy)) }
        ) { first, _ in first }
        self.topology = RunTopology(topology)
    }

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
    fileprivate init(_ lab: LabTopology) {
        let services = lab.services.map { Service(name: $0.name, replicas: $0.replicas.map(\.name)) }
        let names = services.map(\.name)
        var paths = names.first.map { [Path(from: LabTopology.clientHost, to: $0)] } ?? []
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
