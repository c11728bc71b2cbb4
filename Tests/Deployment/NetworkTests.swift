import Testing

@testable import Experiments

/// The NetworkPolicies against the connections that the system makes.
@Suite struct NetworkTests {
    static let services = ["payment-service": 5002, "inventory-service": 5003, "notification-service": 5004]

    /// Who calls whom, wherever the system runs.
    static let calls: [Call] =
        [Call("payment-service", "inventory-service", 5003), Call("payment-service", "notification-service", 5004)]
        + services.flatMap { name, port in [Call(name, "scenario-runner", 8000), Call("scenario-runner", name, port)] }

    static let locust: [Call] =
        [Call("scenario-runner", "locust-master", 8089), Call("locust-worker", "locust-master", 5557)]
        + services.map { Call("locust-worker", $0, $1) }

    static let database = services.keys.map { Call($0, "postgres", 5432) }

    @Test(arguments: ManifestTests.ways)
    func everyCallIsLetThrough(way: ManifestTests.Way) throws {
        let installation = try way.installation()
        let reach = Reach(installation: installation)
        var calls = Self.calls
        if installation.workload("locust-master") != nil { calls += Self.locust }
        if installation.workload("postgres") != nil { calls += Self.database }
        #expect(calls.filter { !reach.admits($0) } == [])
        for workload in installation.workloads {
            #expect(
                reach.leaves(workload.name, to: .namespace("kube-system"), port: 53), "\(workload.name) asks for names")
        }
        for port in [443, 6443, 8443] {
            #expect(reach.leaves("scenario-runner", to: .anywhere, port: port), "the runner asks the API server")
        }
        for (name, port) in Self.services {
            #expect(reach.enters(name, from: .namespace("chaos-mesh"), port: port), "status checks come from there")
        }
        #expect(reach.enters("payment-service", from: .anywhere, port: 5002), "users come from anywhere")
    }

    /// And whatever an environment names.
    @Test(arguments: ManifestTests.ways)
    func everyAddressInAnEnvironmentIsReached(way: ManifestTests.Way) throws {
        let installation = try way.installation()
        let named = installation.workloads.flatMap { workload in
            workload.containers.flatMap { $0.items("env") }
                .compactMap { Call(from: workload.name, url: $0.text("value") ?? "") }
        }
        #expect(named.count >= 5)
        // A master hands its users' addresses to nobody: the workers call them.
        let calls = Set(named.filter { $0.from != "locust-master" })
        #expect(calls.filter { !Reach(installation: installation).admits($0) } == [])
    }

    @Test(arguments: ManifestTests.ways)
    func nothingElse(way: ManifestTests.Way) throws {
        let installation = try way.installation()
        let reach = Reach(installation: installation)
        let ports = Self.services.merging(["scenario-runner": 8000, "locust-master": 8089, "postgres": 5432]) { $1 }
        let names = installation.workloads.map(\.name)
        let wanted = Set(Self.calls + Self.locust + Self.database)
        let open = names.flatMap { from in names.compactMap { to in ports[to].map { Call(from, to, $0) } } }
            .filter { reach.admits($0) && !wanted.contains($0) }
        #expect(open == [])
        for name in names where name != "scenario-runner" {
            #expect(!reach.leaves(name, to: .anywhere, port: 443), "\(name) has nothing to do outside")
        }
        for port in [8000, 22] {
            #expect(!reach.enters("scenario-runner", from: .anywhere, port: port), "it can break things")
        }
    }
}
