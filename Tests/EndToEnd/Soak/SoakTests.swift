import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner
@testable import Verdict

/// Everything that can go wrong, at once, for as long as it takes: the short form by default, the long one with
/// `make soak`. See ``SoakPlan``.
@Suite(
    "Soak", .serialized,
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct SoakTests {
    @Test(
        "Under kills, losses and failing gateways every payment ends, and the money is right",
        arguments: SoakPlan.databases)
    func soak(database: DatabaseKind) async throws {
        let plan = try SoakPlan.from()
        SoakProgress.say(
            "soak: \(database), \(plan.payments) payments, \(plan.clients) clients, SOAK_SEED=\(plan.seed)\n")
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(UUID().uuidString)")
        let experiments = home.appendingPathComponent("experiments")
        try FileManager.default.createDirectory(at: experiments, withIntermediateDirectories: true)
        try SoakLoss.writeManifests(of: plan, to: experiments)
        let state = home.appendingPathComponent("lab")
        let isRight = Latch()
        defer {
            // What went wrong is found in the logs and databases.
            if isRight.isOpen {
                try? FileManager.default.removeItem(at: home)
            } else {
                SoakProgress.say("soak: its logs and databases are kept in \(home.path)\n")
            }
        }
        // Without limits: 200m for each replica would make the clients wait for the processor most of the time, and a
        // soak is about as many payments in as much trouble as possible.
        var options = ["--no-limits", "--experiments", experiments.path, "--seed", "\(plan.seed)"]
        options += try await database.labArguments()
        try await LabProcess.withLab(options, folder: state, executables: plan.executables) { lab in
            if let resilience = plan.resilience { try await lab.set(resilience) }
            let report = try await Soak(plan: plan, lab: lab).run()
            SoakProgress.say(report.text)
            Self.judge(report)
            if report.isRight { isRight.open() }
        }
    }

    private static func judge(_ report: SoakReport) {
        let (plan, record) = (report.plan, report.record)
        #expect(record.operations.count >= plan.payments, "every payment was made in time")
        #expect(report.settleTime != nil, "every payment is final \(plan.settleTime) after the last client")
        #expect(report.check.notChecked == nil)
        #expect(report.check.violationCount == 0, "\(CheckCommand.text(report.check))")
        #expect(report.check.checked > 0 && report.check.checked <= record.operations.count)
        #expect(record.brokenPromises.isEmpty && report.brokenRefunds.isEmpty)
        // A soak in which nothing happened shows nothing.
        #expect(record.kills.count == 3, "every service was hit")
        for path in SoakLoss.pathNames {
            #expect(record.lossTurns.contains { $0.path == path && $0.delivered > 0 }, "\(path) never lost a packet")
        }
        for outcome in ["ok", "declined", "unknown"] {
            #expect(record.operations.contains { $0.outcome.rawValue == outcome }, "nobody was told \(outcome)")
        }
    }
}

extension SoakReport {
    var isRight: Bool {
        settleTime != nil && check.notChecked == nil && check.violationCount == 0 && record.brokenPromises.isEmpty
            && brokenRefunds.isEmpty
    }
}
