import Foundation
import HTTPTypes
import Shared
import Subprocess
import Testing

/// The lab as its users meet it: real processes, real namespaces, real packets.
@Suite(
    "Lab", .serialized,
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct LabTests {
    private static let payment = #"{"amount": 100, "currency": "USD", "product_id": "1"}"#

    @Test("A payment through the front door is the same on every replica, and survives the lab's end")
    func paymentsAreShared() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = try await HostState.read(marker: folder.path)
        let stored = StoredPayment()

        try await LabProcess.withLab(folder: folder) { lab in
            let answer = try await lab.post(lab.state.payment_url + "/payment/process", Self.payment)
            #expect(answer.status == 200)
            #expect(answer.body["status"] == .string("success"))
            let id = try #require(answer.body["payment_id"]?.text)
            // Connections take turns between the three replicas, so 30 fresh ones reach each of them.
            for _ in 0..<30 {
                let client = HTTPClient()
                let response = try await client.execute(
                    HTTPClientRequest(url: lab.state.payment_url + "/payment/status/\(id)", timeout: .seconds(5)))
                await client.shutdown()
                let status = try JSONDecoder().decode(JSONValue.self, from: response.body)
                #expect(status["status"] == .string("completed"))
            }
            let stock = try await lab.get(lab.state.inventory_url + "/check/1")
            #expect(stock.body["stock_count"] == .integer(49))
            await stored.set(id)
        }
        try await LabProcess.withLab(folder: folder) { lab in
            let id = try #require(await stored.id)
            let status = try await lab.get(lab.state.payment_url + "/payment/status/\(id)")
            #expect(status.body["status"] == .string("completed"))
            let stock = try await lab.get(lab.state.inventory_url + "/check/1")
            #expect(stock.body["stock_count"] == .integer(49))
        }
        #expect(try await HostState.read(marker: folder.path) == before)
    }

    @Test("A failure mode is in force on all payment replicas within a second of its switch")
    func failureModes() async throws {
        try await LabProcess.withLab { lab in
            let switched = ContinuousClock.now
            let answer = try await lab.post(
                lab.state.runner_url + "/api/payment-scenarios/card-decline?enabled=true&probability=100")
            #expect(answer.status == 200)
            let host = try #require(HTTPField.Name("Host"))
            let stranger = try await lab.client.execute(
                HTTPClientRequest(
                    url: lab.state.runner_url + "/api/runs", headers: [host: "evil.example:8000"],
                    timeout: .seconds(5)))
            #expect(stranger.status == 421, "while the services, which ask by another name, are answered")
            // Nine payments over nine connections: three on each replica. Only a payment that was sent within the
            // second may still succeed.
            for _ in 0..<9 {
                let sent = ContinuousClock.now
                let client = HTTPClient()
                let response = try await client.execute(
                    HTTPClientRequest(
                        method: .post, url: lab.state.payment_url + "/payment/process",
                        headers: [.contentType: "application/json"], body: Data(Self.payment.utf8),
                        timeout: .seconds(10)))
                await client.shutdown()
                if sent - switched > .seconds(1) { #expect(response.status == 402) }
            }
            try await waitUntil("nine declines in a row", within: .seconds(5)) {
                for _ in 0..<9 {
                    let payment = try await lab.post(lab.state.payment_url + "/payment/process", Self.payment)
                    if payment.status != 402 { return false }
                }
                return true
            }
        }
    }

    @Test("80 % packet loss: the dose is delivered, the users feel it, the system recovers")
    func packetLoss() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = try await HostState.read(marker: folder.path)
        let run = try await runner([
            "run", "packet-loss-80-percent", "--baseline", "5s", "--duration", "15s", "--recovery", "15s", "--json",
            "--state", folder.path, "--ports", "0,0,0,0", "--seed", "7",
        ])
        #expect([.exited(0), .exited(2)].contains(run.code), "\(run.error)")
        let journal = try JSONDecoder().decode(JournalView.self, from: Data(run.output.utf8))

        let dose = try #require(journal.dose)
        #expect(dose.asked == 80)
        #expect(dose.effective)
        #expect(dose.low <= dose.delivered && dose.delivered <= dose.high)
        #expect(journal.phase("baseline")?.success_rate == 1)
        let during = try #require(journal.phase("fault")?.success_rate)
        #expect(during < 0.95)
        #expect(journal.phase("recovery")?.success_rate ?? 0 > 0.9)
        #expect(journal.recovery_time_ms != nil)
        #expect(journal.seed == 7)
        // The lab of the run ended with it.
        try await waitUntil("the host is as before", within: .seconds(15)) {
            try await HostState.read(marker: folder.path) == before
        }
    }

    @Test("CPU stress burns what the limits leave, and slows the users down")
    func cpuStress() async throws {
        try await LabProcess.withLab { lab in
            let run = try await runner([
                "run", "cpu-stress-payment", "--baseline", "4s", "--duration", "8s", "--recovery", "8s", "--json",
                "--state", lab.folder.path,
            ])
            #expect([.exited(0), .exited(2)].contains(run.code), "\(run.error)")
            let journal = try JSONDecoder().decode(JournalView.self, from: Data(run.output.utf8))
            #expect(journal.dose?.unit == "cores")
            #expect(journal.dose?.delivered ?? 0 > 0)
            #expect(journal.dose?.effective == true)
            let runs = try await lab.get(lab.state.runner_url + "/api/runs")
            #expect(runs.status == 200)
        }
    }

    @Test("A replica that dies is started again, and the services go on")
    func supervision() async throws {
        try await LabProcess.withLab { lab in
            let pids = try HostProcesses.named("payment-service", below: lab.pid)
            #expect(pids.count == 3)
            kill(try #require(pids.first), SIGKILL)
            try await waitUntil("a restart is counted and all are up", within: .seconds(20)) {
                let topology = try await lab.get(lab.state.runner_url + "/api/topology")
                let replicas = ReplicaView.all(of: "payment-service", in: topology.body)
                return replicas.reduce(0) { $0 + $1.restarts } == 1 && replicas.allSatisfy { $0.state == "up" }
            }
            try await waitUntil("nine payments in a row succeed", within: .seconds(20)) {
                for _ in 0..<9 {
                    let answer = try? await lab.post(lab.state.payment_url + "/payment/process", Self.payment)
                    if answer?.status != 200 { return false }
                }
                return true
            }
        }
    }
}

/// An id that outlives the closure which learnt it.
private actor StoredPayment {
    private(set) var id: String?
    func set(_ id: String) { self.id = id }
}
