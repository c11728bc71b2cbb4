import Gateway
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import PaymentService

@Suite("A payment whose outcome was not heard")
struct ReconcilerTests {
    @Test("is settled by asking the gateway, once, whatever the phase", arguments: GatewayTimeoutPhase.allCases)
    func phases(phase: GatewayTimeoutPhase) async throws {
        try await PaymentLab.run { lab in
            try await lab.change {
                ($0.gatewayTimeoutEnabled, $0.gatewayTimeoutProbability) = (true, 100)
                ($0.gatewayTimeoutDelay, $0.gatewayTimeoutPhase) = (1, phase)
            }
            let answer = try await lab.pay(key: "k")
            #expect(answer.status == 504 && answer["source"] == .string("gateway") && answer.isProblem)
            #expect(answer["detail"]?.text?.contains("timeout") == true)
            let isCharged = phase != .beforeCharge
            try await lab.settles(answer, isCharged ? "completed" : "failed")
            let replay = try await lab.pay(key: "k")
            #expect(replay.status == (isCharged ? 200 : 502), "\(replay.text)")
            #expect(replay.headers[.idempotentReplayed] == "true" && replay["payment_id"] == answer["payment_id"])
            try await eventually { try await lab.stock("1") == (isCharged ? 49 : 50) }
            try await eventually {
                try await lab.notification.get("/history")["total_count"] == .integer(isCharged ? 1 : 0)
            }
            let entry = try #require(try await lab.audit().first)
            #expect(entry["charges"]?.count == (isCharged ? 1 : 0) && entry["ledger"]?.count == (isCharged ? 2 : 0))
            let id = try #require(answer["payment_id"]?.text)
            #expect(try await lab.payment.get("/payment/events/\(id)").text.contains("gateway-timeout"))
        }
    }

    @Test("keeps its key until it is settled")
    func key() async throws {
        var options = PaymentLab.Options()
        options.workerPeriod = .seconds(1)
        try await PaymentLab.run(options) { lab in
            var modes = FailureModes()
            (modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability) = (true, 100)
            try await lab.withParts(modes: modes) { parts in
                let order = try lab.order()
                let deadline = RequestDeadline(after: .milliseconds(1500))
                async let first = RequestDeadline.$current.withValue(deadline) {
                    try await parts.processor.process(order, keyName: "k").answer
                }
                try await eventually { try await lab.audit().first?["status"] == .string("processing") }
                let again = try await lab.pay(key: "k")
                #expect(again.status == 409 && again.headers[.retryAfter] == "1" && again["payment_id"] != nil)
                let answer = try await first
                #expect(answer.status == 504)
            }
            try await eventually { try await lab.pay(key: "k").status == 200 }
            #expect(try await lab.audit().count == 1)
        }
    }

    @Test("is taken over when its owner is dead, and not before", arguments: [false, true])
    func takeover(isCharging: Bool) async throws {
        try await PaymentLab.run { lab in
            // Its owner began an hour ahead of the others' clock, so its lease is good for long.
            let later: @Sendable () -> UnixTime = { UnixTime.now.advanced(bySeconds: 3600) }
            let id = "PAY-of-the-dead"
            let order = try lab.order()
            try await lab.withParts(clock: later) { owner in
                #expect(try await owner.store.begin(order, id: id, key: nil) == .begun)
                guard isCharging else { return }
                let stock = try await owner.inventory.takeStock(order, paymentID: id, timeout: .seconds(5))
                #expect(try await owner.store.startCharge(id, stock, events: []))
                _ = try await owner.acquirer.authorise(
                    ChargeRequest(paymentID: id, amount: order.amount, instrument: .unnamed))
            }
            try await lab.withParts { (other) async throws -> Void in
                #expect(try await other.reconciler.settleAbandoned() == 0)
                #expect(try await lab.payment.get("/payment/status/\(id)")["status"]?.text?.hasSuffix("ing") == true)
            }
            // And now its lease is over.
            try await lab.withParts(clock: { later().advanced(bySeconds: 5) }) { (other) async throws -> Void in
                #expect(try await other.reconciler.settleAbandoned() == 1)
                #expect(try await other.reconciler.settleAbandoned() == 0)
            }
            let status = try await lab.payment.get("/payment/status/\(id)")["status"]
            #expect(status == .string(isCharging ? "completed" : "failed"))
            #expect(try await lab.stock("1") == (isCharging ? 49 : 50))
        }
    }

    @Test("is charged by no owner who stood still while others settled it")
    func paused() async throws {
        try await PaymentLab.run { lab in
            let later: @Sendable () -> UnixTime = { UnixTime.now.advanced(bySeconds: 3600) }
            let hook = StepHook { step in
                guard step == .charging else { return }
                // The owner stands still here for longer than its lease.
                await #expect(throws: Never.self) {
                    try await lab.withParts(clock: later) { (other) async throws -> Void in
                        #expect(try await other.reconciler.settleAbandoned() == 1)
                    }
                }
            }
            let answer = try await lab.withParts(hook: hook) { parts in
                try await parts.processor.process(try lab.order(), keyName: "k").answer
            }
            #expect(answer.status == 502, "\(answer.body)")
            let entry = try #require(try await lab.audit().first)
            #expect(entry["status"] == .string("failed") && entry["charges"] == .array([]))
            #expect(entry["ledger"] == .array([]))
            try await eventually { try await lab.stock("1") == 50 }
        }
    }

    @Test("has one charge when two replicas get its key at the same instant")
    func sameInstant() async throws {
        try await PaymentLab.run { lab in
            let order = try lab.order()
            try await lab.withParts { (one) async throws -> Void in
                try await lab.withParts { (other) async throws -> Void in
                    let statuses = await withTaskGroup(of: Int.self) { group in
                        for parts in [one, other] {
                            group.addTask {
                                do {
                                    return try await parts.processor.process(order, keyName: "k").answer.status
                                } catch { return (error as? Problem)?.status.code ?? 0 }
                            }
                        }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(statuses.contains(200) && statuses.allSatisfy { [200, 409].contains($0) })
                }
            }
            let entries = try await lab.audit()
            #expect(entries.count == 1 && entries.first?["charges"]?.count == 1)
        }
    }
}

extension JSONValue {
    /// Of an array; nil for anything else.
    var count: Int? {
        guard case .array(let values) = self else { return nil }
        return values.count
    }
}
