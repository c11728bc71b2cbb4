import Experiments
import Foundation
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Sandbox
@testable import ScenarioRunner

/// `GET /api/topology` and the event `topology`.
@Suite struct TopologyAPITests {
    /// What the system looks like, as the test says.
    private final class System: Sendable {
        private let restarting = Mutex<Set<String>>([])
        private let reads = Mutex<[String]>([])

        var readCount: Int { reads.withLock { $0.count } }

        func restart(_ replica: String) { restarting.withLock { _ = $0.insert(replica) } }

        var statuses: [ReplicaStatus] {
            restarting.withLock { restarting in
                LabTopology().replicas.map {
                    ReplicaStatus(
                        name: $0.name, state: restarting.contains($0.name) ? .restarting : .up, pid: nil,
                        restarts: 0, lastExit: nil)
                }
            }
        }

        var sources: TopologyWatch.Sources {
            .init(metrics: { [self] replica in
                reads.withLock { $0.append(replica.name) }
                return ""
            })
        }
    }

    private let system = System()

    private func options(_ engine: FakeEngine = FakeEngine(), works: Bool = true) -> RunnerLab.Options {
        var options = RunnerLab.Options()
        options.engine = engine
        options.works = works
        options.statuses = { [system] in system.statuses }
        options.sources = system.sources
        return options
    }

    private func state(of replica: String, in topology: JSONValue) -> JSONValue? {
        let services = topology["services"]?.elements ?? []
        return services.flatMap { $0["replicas"]?.elements ?? [] }.first { $0["name"] == .string(replica) }?["state"]
    }

    @Test func aQuietSystemClaimsNothing() async throws {
        try await RunnerLab.serve(options()) { _, server in
            let topology = try await server.get("/api/topology").json()
            let paths = topology["paths"]?.elements ?? []
            #expect(
                paths.map { "\($0["from"]?.text ?? "") \($0["to"]?.text ?? "")" } == [
                    "client payment", "payment inventory", "payment notification", "inventory notification",
                ])
            for path in paths {
                for member in ["rate_rps", "success_rate", "p95_ms", "seen_by"] { #expect(path[member] == .null) }
                #expect(path["replicas"]?.elements == [])
            }
            #expect(topology["faults"]?.elements == [])
            #expect(state(of: "payment-2", in: topology) == .string("up"))
        }
    }

    @Test func aFaultIsShownWhileItIsInForce() async throws {
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        let engine = FakeEngine(places: ["stress-a": "payment-1"])
        try await RunnerLab.serve(options(engine)) { lab, server in
            let id = try lab.manager.start(RunnerLab.request("stress-a", fault: .seconds(60))).id
            try await eventually("the fault") { lab.view(id)?.phase == .fault }
            let topology = try await server.get("/api/topology").json()
            #expect(schemas.problems(of: topology, to: "GET /api/topology", status: 200) == [])
            let until = try #require(lab.view(id)?.phaseEndsAt)
            #expect(
                topology["faults"]?.elements.first
                    == .object([
                        "kind": .string("cpu"), "label": .string("1.6 cores"), "direction": .null,
                        "places": .array([.object(["replica": .string("payment-1")])]), "run_id": .string(id),
                        "experiment": .string("stress-a"), "until": .decimal(Decimal(string: "\(until)") ?? 0),
                    ]))
            #expect(state(of: "payment-1", in: topology) == .string("stressed"))
            #expect(state(of: "payment-0", in: topology) == .string("up"))
            let toInventory = try #require(topology["paths"]?.elements.dropFirst().first)
            let replicas = toInventory["replicas"]?.elements.map { $0["from"]?.text }
            #expect(replicas == ["payment-0", "payment-1", "payment-2"])

            _ = try lab.manager.stop(id)
            _ = try await lab.ended(id)
            let healed = try await server.get("/api/topology").json()
            #expect(healed["faults"]?.elements == [] && state(of: "payment-1", in: healed) == .string("up"))
        }
    }

    @Test func aFaultThatDoesNotGoStaysInThePicture() async throws {
        let engine = FakeEngine(.init(removal: "it is stuck"))
        try await RunnerLab.run(options(engine)) { lab in
            let id = try lab.manager.start(RunnerLab.request()).id
            _ = try await lab.ended(id)
            let fault = try #require(lab.watch.document.faults.first)
            #expect(fault.runID == id && fault.kind == .loss && fault.until == nil)
        }
    }

    @Test func failureModesAreFaultsOfWhoeverSwitchedThem() async throws {
        try await RunnerLab.serve(options()) { _, server in
            let path = "/api/payment-scenarios/card-decline?enabled=true&probability=20"
            _ = try await server.send("POST", path)
            let fault = try await server.get("/api/topology").json()["faults"]?.elements.first
            #expect(fault?["kind"] == .string("failure_mode") && fault?["label"] == .string("card decline 20 %"))
            #expect(fault?["run_id"] == .null && fault?["until"] == .null)
            #expect(
                fault?["places"]?.elements == [.object(["from": .string("payment"), "to": .string("gateway")])])
        }
    }

    @Test func replicasAreAskedOnlyWhileSomebodyListens() async throws {
        try await RunnerLab.run(options(works: false)) { lab in
            await lab.watch.look()
            #expect(system.readCount == 0)
            _ = lab.watch.asked()
            await lab.watch.look()
            #expect(system.readCount == 3, "the payment replicas, once each")
            let page = try #require(lab.events.subscribe())
            system.restart("payment-1")
            await lab.watch.look()
            #expect(system.readCount == 5, "one that is not up is not asked")
            withExtendedLifetime(page) {}
        }
    }

    @Test func thePictureSaysWhereItIsAndWhatCannotBeSeenFromThere() async throws {
        try await RunnerLab.serve(options()) { _, server in
            let site = try await server.get("/api/topology").json()["site"]
            #expect(site == .object(["engine": .string("fake"), "reaches_replicas": .bool(true)]))
        }
        var options = options(works: false)
        options.namespace = "payment-chaos"
        try await RunnerLab.run(options) { lab in
            let site = lab.watch.asked().site
            #expect(site.namespace == "payment-chaos" && !site.reachesReplicas)
            await lab.watch.look()
            #expect(system.readCount == 0, "what cannot be reached is not asked")
        }
    }

    @Test func pagesAreToldWhatHasChangedAndNothingElse() async throws {
        try await RunnerLab.run(options(works: false)) { lab in
            var page = try #require(lab.events.subscribe()).makeAsyncIterator()
            await lab.watch.look()
            let first = try #require(await page.next(isolation: nil))
            #expect(first.name == "topology" && !first.data.contains("restarting"))
            for _ in 1...3 { await lab.watch.look() }
            system.restart("inventory-1")
            await lab.watch.look()
            lab.events.publish("end", 0)
            let second = try #require(await page.next(isolation: nil))
            #expect(second.name == "topology" && second.data.contains("restarting"))
            #expect(await page.next(isolation: nil)?.name == "end")
        }
    }
}
