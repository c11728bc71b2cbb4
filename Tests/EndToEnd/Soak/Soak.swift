import Experiments
import Foundation
import Sandbox
import Shared

@testable import ScenarioRunner
@testable import Verdict

/// One soak of a running lab, from the restock to the money check.
///
/// ```
///   clients:  |-- payments, refunds --|
///   trouble:  |-- modes, losses, kills --| all gone
///   after:                               |-- settle --|-- books, refunds --|
/// ```
struct Soak: Sendable {
    let plan: SoakPlan
    let lab: LabProcess
    let record = SoakRecord()

    func run() async throws -> SoakReport {
        try await fillUp()
        let start = ContinuousClock.now
        try await load()
        let end = record.now.clientsEnded ?? .now
        // The second settling, in the check itself, finds nothing open and only reads.
        try await replicasAreUp()
        let hasSettled = try await auditor(settlingUntil: end + plan.settleTime).settle(before: .now)
        let settled = ContinuousClock.now
        let check = await auditor(settlingUntil: end + plan.settleTime).check(history: record.now.operations)
        var report = SoakReport(plan: plan, record: record.now, check: check)
        report.brokenRefunds = try await SoakRefunds(lab: lab, refunds: record.now.refunds).broken()
        report.loadTime = end - start
        report.settleTime = hasSettled ? settled - end : nil
        report.checkTime = ContinuousClock.now - settled
        return report
    }

    private func auditor(settlingUntil deadline: ContinuousClock.Instant) -> MoneyAuditor {
        MoneyAuditor(
            client: lab.client, paymentURL: lab.state.payment_url, inventoryURL: lab.state.inventory_url,
            notificationURL: lab.state.notification_url, settleTime: deadline - .now)
    }

    /// The last ones that were killed come back within seconds; nobody can read books before that.
    private func replicasAreUp() async throws {
        try await waitUntil("all replicas are up", within: plan.settleTime) {
            let topology = try await lab.get(lab.state.runner_url + "/api/topology").body
            return LabTopology().services.allSatisfy { service in
                let replicas = ReplicaView.all(of: service.name, in: topology)
                return replicas.count == service.replicas.count && replicas.allSatisfy { $0.state == "up" }
            }
        }
    }

    /// Every product could be the only one that is bought.
    private func fillUp() async throws {
        let restock = Restock(client: lab.client, inventoryURL: lab.state.inventory_url)
        try await restock.run(quantity: plan.payments)
    }

    /// Clients and trouble; the trouble is gone when this returns.
    private func load() async throws {
        let stop = Latch()
        let (plan, lab, record) = (plan, lab, record)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await SoakFailureModes(plan: plan, lab: lab, record: record).run(until: stop) }
            group.addTask { try await SoakLoss(plan: plan, lab: lab, record: record).run(until: stop) }
            group.addTask { try await SoakKiller(plan: plan, labPID: lab.pid, record: record).run(until: stop) }
            group.addTask { await SoakProgress(plan: plan, record: record).run(until: stop) }
            group.addTask {
                _ = await stop.wait(until: .now + plan.loadLimit)
                stop.open()
            }
            group.addTask {
                let clients = SoakClients(
                    plan: plan, paymentURL: lab.state.payment_url, client: lab.client, record: record)
                try await clients.run(unless: stop)
                record.change { $0.clientsEnded = .now }
                stop.open()
            }
            try await group.waitForAll()
        }
    }
}

/// What clients know of their refunds, against the payments.
struct SoakRefunds: Sendable {
    let lab: LabProcess
    let refunds: [SoakRecord.Refund]

    /// One line for each refund that was acknowledged and is not there, or that is there with another amount.
    func broken() async throws -> [String] {
        var broken: [String] = []
        for refund in refunds {
            let (status, body) = try await lab.get(lab.state.payment_url + "/payment/status/\(refund.paymentID)")
            let refunded = body["refunded_amount"]
            // A refund that nobody heard of was given in full, or never begun.
            let isRight = refunded == .amount(refund.amount) || (!refund.isAcknowledged && refunded == .integer(0))
            guard status != 200 || !isRight else { continue }
            let told = refund.isAcknowledged ? "acknowledged" : "asked for"
            broken.append("\(refund.paymentID): \(refund.amount.text) \(told), and the payment says \(body)")
        }
        return broken
    }
}

extension JSONValue {
    /// As a JSON reader sees it: whole amounts are integers.
    fileprivate static func amount(_ money: Money) -> JSONValue {
        let whole = money.minorUnits.quotientAndRemainder(dividingBy: 100)
        return whole.remainder == 0 ? .integer(whole.quotient) : .decimal(money.decimal)
    }
}
