#if Postgres
import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner
@testable import Verdict

/// Three payment replicas on one PostgreSQL that crashes and comes back while customers pay.
@Suite("A lab on PostgreSQL", .serialized)
struct PostgresCrashTests {
    private static let crashes = 2

    @Test("Over crashes of its database no payment is lost or doubled, and all have an end", .timeLimit(.minutes(4)))
    func crashes() async throws {
        let server = try await PostgresServer()
        let database = server.socketURL(try await server.newDatabase())
        let plan = SoakPlan(
            payments: 400, clients: 16, seed: .random(in: 0...999_999_999), executables: LabProcess.executables)
        let record = SoakRecord()
        try await LabProcess.withLab(["--plain", "--no-limits", "--database", database]) { lab in
            try await Restock(client: lab.client, inventoryURL: lab.state.inventory_url).run(quantity: plan.payments)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var clients = SoakClients(
                        plan: plan, paymentURL: lab.state.payment_url, client: lab.client, record: record)
                    clients.waitForLosses = false
                    try await clients.run(unless: Latch())
                }
                group.addTask {
                    for crash in 1...Self.crashes {
                        // In the midst of the payments, each time.
                        try await waitUntil("payments are made", within: .seconds(90)) {
                            record.now.operations.count >= plan.payments * crash / (Self.crashes + 2)
                        }
                        try await server.crash()
                        try await server.start()
                    }
                }
                try await group.waitForAll()
            }
            try await Self.judge(lab, plan, record.now)
        }
    }

    private static func judge(_ lab: LabProcess, _ plan: SoakPlan, _ record: SoakRecord.State) async throws {
        let auditor = MoneyAuditor(
            client: lab.client, paymentURL: lab.state.payment_url, inventoryURL: lab.state.inventory_url,
            notificationURL: lab.state.notification_url, settleTime: plan.settleTime)
        #expect(try await auditor.settle(before: .now), "seed \(plan.seed): every payment is final")
        let check = await auditor.check(history: record.operations)
        #expect(check.notChecked == nil && check.violationCount == 0, "seed \(plan.seed): \(CheckCommand.text(check))")
        #expect(check.checked > 0 && record.operations.count >= plan.payments)
        let brokenRefunds = try await SoakRefunds(lab: lab, refunds: record.refunds).broken()
        #expect(record.brokenPromises + brokenRefunds == [], "seed \(plan.seed)")
        // The crashes were felt, and most got through all the same.
        let told = Dictionary(grouping: record.operations, by: \.outcome.rawValue).mapValues(\.count)
        #expect(record.requests > record.operations.count + record.refunds.count, "nobody had to ask twice: \(told)")
        #expect((told["ok"] ?? 0) > plan.payments / 2, "\(told)")
    }
}
#endif
