import Experiments
import Foundation
import Shared
import Subprocess
import Testing
import Verdict

/// The runner of a cluster, from the real executables against an API server with Chaos Mesh's controller behind it.
@Suite("A served cluster", .serialized, .timeLimit(.minutes(5)))
struct ServeTests {
    private func labels(_ object: JSONValue) -> JSONValue? { object["metadata"]?["labels"] }

    /// Chaos Mesh's records say what they like: the calls are as fast as before.
    @Test("A run creates its object, measures, and takes it away; a fault that no call feels makes it invalid")
    func run() async throws {
        try await ServedSystem.withOne { system in
            async let ended = system.command(
                "run", "delay-combined-with-loss", "--baseline", "4s", "--duration", "10s", "--recovery", "3s",
                "--rate",
                "20", "--json")
            try await waitUntil("the object", within: .seconds(60)) { try await system.standIn.chaos().count == 1 }
            let object = try #require(try await system.standIn.chaos().first)
            #expect(object["kind"] == .string("NetworkChaos"))
            #expect(object["metadata"]?["name"]?.text?.hasPrefix("delay-combined-with-loss-") == true)
            #expect(labels(object)?["triggered-by"] == .string("scenario-runner"))
            #expect(labels(object)?["original-scenario"] == .string("delay-combined-with-loss"))
            #expect(
                object["spec"]?["externalTargets"] == .array([.string("inventory-service.payment-chaos.svc:5003")]))
            #expect(object["spec"]?["duration"]?.text != nil)
            let topology = try await system.get("/api/topology").body
            #expect(topology["site"]?["engine"] == .string("chaos-mesh"))
            #expect(topology["site"]?["namespace"] == .string("payment-chaos"))
            #expect(topology["site"]?["reaches_replicas"] == .bool(false))

            let command = try await ended
            #expect(command.status == .exited(4), "\(command.error)\n\(command.output.suffix(2000))")
            let journal = try JSONDecoder().decode(Journal.self, from: Data(command.output.utf8))
            #expect(journal.engine == "chaos-mesh" && journal.verdict == .invalid, "\(journal.reasons)")
            #expect(journal.dose?.kind == .targets && journal.dose?.delivered == 2 && journal.dose?.effective == false)
            let traffic = try #require(journal.dose?.others?.first)
            #expect(traffic.kind == .traffic && traffic.asked == 100 && traffic.delivered < 50, "\(traffic.text)")
            #expect(journal.reasons.contains { $0.contains("not in the traffic: payment-a1 -> inventory-service") })
            #expect(journal.money.violationCount == 0 && journal.money.checked > 0)
            #expect(journal.topology.services.flatMap(\.replicas) == ServedSystem.pods.map(\.name))
            #expect(journal.topology.broken.map(\.from) == ["payment-a1"])
            #expect(try await system.standIn.chaos() == [])
            try await asksOneThing(of: system)
        }
    }

    @Test("A fault that the calls feel makes it valid: held, by the records and by the traffic")
    func bites() async throws {
        try await ServedSystem.withOne { system in
            async let ended = system.command(
                "run", "delay-combined-with-loss", "--baseline", "3s", "--duration", "8s", "--recovery", "12s",
                "--rate",
                "10", "--json")
            try await waitUntil("the object", within: .seconds(60)) { try await system.standIn.chaos().count == 1 }
            // Where the stand-in does nothing to packets, the inventory itself takes the time that they would.
            try await system.put("/api/resilience", #"{"inventory_pool": {"connections": 256, "hold_ms": 2000}}"#)
            try await waitUntil("its end", within: .seconds(60)) { try await system.standIn.chaos() == [] }
            try await system.put("/api/resilience", #"{"inventory_pool": null}"#)

            let command = try await ended
            let journal = try JSONDecoder().decode(Journal.self, from: Data(command.output.utf8))
            #expect(command.status == .exited(0) && journal.verdict == .held, "\(journal.reasons)")
            let traffic = try #require(journal.dose?.others?.first)
            #expect(traffic.effective && traffic.delivered > 50 && traffic.findings == [], "\(traffic.text)")
        }
    }

    /// Commands that ask one thing, with the same output and exit codes as in the lab.
    private func asksOneThing(of system: ServedSystem) async throws {
        let runs = try await system.get("/api/runs").body["runs"]
        guard case .array(let all) = runs, let id = all.first?["id"]?.text else {
            throw NotInTime(description: "no run")
        }
        let url = "\(system.url)/api/runs/\(id)/report?format=json"
        let comparison = try await Command.runner("compare", url, url, "--fail-on", "any")
        #expect(comparison.status == .exited(0), "\(comparison.error)")
        let check = try await system.command("check")
        #expect(check.status == .exited(0) && check.output.hasPrefix("the money is right: "), "\(check.error)")
        let plan = try await system.command("plan", "packet-loss-80-percent", "--seed", "7")
        #expect(plan.status == .exited(0) && plan.output.contains("payment-a1 -> inventory-b1"), "\(plan.output)")
        let load = try await system.command("load", "chain", "--rate", "10", "--duration", "1s", "--json")
        #expect(load.status == .exited(0), "\(load.error)")
        let unknown = try await system.command("explain", "PAY-unknown")
        #expect(unknown.status == .exited(64) && unknown.error.contains("There is no payment PAY-unknown"))
        let halt = try await system.command("halt")
        #expect(halt.status == .exited(0) && halt.output.hasPrefix("Nothing was running."), "\(halt.error)")
        for (verb, name) in [("run", "packet-loss-80-percent"), ("load", "chain")] {
            let refused = try await system.command(verb, name)
            #expect(refused.status == .exited(69) && refused.complaints.count == 1, "\(refused.error)")
            #expect(refused.error.contains("scenario-runner rearm"), "\(refused.error)")
        }
        #expect(try await system.command("rearm").status == .exited(0))
        let doctor = try await Command.runner(
            "doctor", "--target", "kubernetes", "--kubeconfig", system.standIn.kubeconfig)
        #expect(doctor.output.hasPrefix("ok        api server") && doctor.output.contains("3 of 3 in payment-chaos"))
    }

    @Test("SIGTERM in mid-fault leaves no object")
    func terminate() async throws {
        try await ServedSystem.withOne { system in
            let run = try await system.post("/api/runs", #"{"experiment": "packet-loss-80-percent", "baseline": "1s"}"#)
            #expect(run.status == 202, "\(run.body)")
            let path = "/api/runs/\(run.body["id"]?.text ?? "")"
            try await waitUntil("the fault", within: .seconds(60)) {
                try await system.get(path).body["phase"] == .string("fault")
            }
            #expect(try await system.standIn.chaos().count == 1)
            system.terminate()
            try await waitUntil("its end", within: .seconds(60)) { (try? await system.get("/health").status) == nil }
            #expect(try await system.standIn.chaos() == [])
        }
    }

    @Test("What the cluster lacks is a 503 with the remedy, and nothing is left behind")
    func troubles() async throws {
        try await ServedSystem.withOne { system in
            func refused(_ settings: [String: JSONValue], _ words: [String]) async throws {
                try await system.standIn.set(settings)
                let answer = try await system.post("/api/trigger_chaos/packet-loss-80-percent")
                let detail = answer.body["message"]?.text ?? answer.body["detail"]?.text ?? ""
                #expect(answer.status == 503, "\(answer.body)")
                for word in words { #expect(detail.contains(word), "\(detail)") }
                #expect(try await system.standIn.chaos() == [])
                _ = try await system.post("/api/chaos-rate-limit-reset")
            }
            try await refused(["crds": .bool(false)], ["Chaos Mesh is not installed", "helm install"])
            try await refused(
                ["crds": .bool(true), "denied": .array([.string("create networkchaos.chaos-mesh.org")])],
                ["RBAC", "create networkchaos.chaos-mesh.org"])
        }
    }

    @Test("Nobody there is told with the command that forwards the port")
    func nobody() async throws {
        let port = try TakenPort().number
        let url = "http://127.0.0.1:\(port)"
        for arguments in [
            ["check"], ["halt"], ["run", "packet-loss-80-percent"], ["load", "chain"], ["explain", "PAY-1"],
        ] {
            let ended = try await Command.runner.run(arguments + ["--target", "kubernetes", "--runner", url])
            #expect(ended.status == .exited(69), "\(arguments): \(ended.error)")
            let forward = "kubectl -n payment-chaos port-forward svc/scenario-runner \(port):8000"
            #expect(ended.complaints.count == 1 && ended.error.contains(forward), "\(ended.error)")
        }
    }
}
