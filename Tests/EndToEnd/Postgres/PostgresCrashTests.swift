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
        let database = try await server.newDatabase()
        let plan = SoakPlan(
            payments: 400, clients: 16, seed: .random(in: 0...999_999_999), executables: LabProcess.executables)
        let record = SoakRecord()
        let options = ["--plain", "--no-limits", "--database", server.socketURL(database)]
        try await LabProcess.withLab(options) { lab in
            try await Restock(client: lab.client, inventoryURL: lab.state.inventory_url).run(quantity: plan.payments)
            // Opens when there is nothing to show any more: the customers would ask on for minutes.
            let failed = Latch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var clients = SoakClients(
                        plan: plan, paymentURL: lab.state.payment_url, client: lab.client, record: record)
                    clients.waitForLosses = false
                    try await clients.run(unless: failed)
                }
                group.addTask {
                    do { try await crash(server, database, during: plan, record) } catch {
                        failed.open()
                        throw error
                    }
                }
                try await group.waitForAll()
            }
            try await Self.judge(lab, plan, record.now)
        }
    }

    /// Crashes the server that the services work on, in the midst of the payments each time.
    private func crash(_ server: PostgresServer, _ database: String, during plan: SoakPlan, _ record: SoakRecord)
        async throws
    {
        for crash in 1...Self.crashes {
            try await waitUntil("payments are made", within: .seconds(60)) {
                record.now.operations.count >= plan.payments * crash / (Self.crashes + 2)
            }
            #expect(try await server.sessionCount(in: database) > 0, "the services are there to feel it")
            try await server.crash()
            try await server.start()
            #expect(try server.recoveryCount() == crash, "the server itself says that it crashed")
            #expect(record.now.operations.count < plan.payments, "payments are still to be made")
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
        // Most got through all the same: the services ask again by themselves.
        let told = Dictionary(grouping: record.operations, by: \.outcome.rawValue).mapValues(\.count)
        #expect((told["ok"] ?? 0) > plan.payments / 2, "\(told)")
    }
}
#endif
