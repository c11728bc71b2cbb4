import Foundation
import Shared
import Testing

@testable import ScenarioRunner

/// The kill switch, pressed during random faults: the short form by default, the long one with `make bench-halt`, which
/// prints how long it takes. See ``HaltPlan``.
@Suite(
    "Halt", .serialized,
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct HaltBenchTests {
    private static let hasTun =
        ProcessInfo.processInfo.environment["CI"] != nil || access("/dev/net/tun", R_OK | W_OK) == 0

    @Test(
        "Whatever is in force when it is pressed is gone when it answers",
        .enabled(if: hasTun, "this machine has no /dev/net/tun; see scenario-runner doctor"))
    func halts() async throws {
        let plan = try HaltPlan.from()
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("halt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let experiments = home.appendingPathComponent("experiments")
        try FileManager.default.createDirectory(at: experiments, withIntermediateDirectories: true)
        try HaltFault.writeManifests(to: experiments)
        try await LabProcess.withLab(
            ["--experiments", experiments.path, "--seed", "\(plan.seed)"],
            folder: home.appendingPathComponent("lab"), executables: plan.executables
        ) { lab in
            let report = try await HaltBench(plan: plan, lab: lab).run()
            SoakProgress.say(report.text)
            for record in report.records {
                let name = "press \(record.press.number) during \(record.press.faults.map(\.name))"
                #expect(record.left == [], "\(name)")
                #expect(record.isAnsweredWell, "\(name)")
                // A press during nothing shows nothing. Kills leave no trace to be seen.
                let isSeen = record.press.faults.contains { !$0.name.contains("kill") }
                #expect(record.hadTraces || record.press.isEarly || !isSeen, "\(name)")
            }
        }
    }

    @Test("The first presses meet every fault, the others any three")
    func mixture() {
        let presses = (0..<100).map { HaltPress(number: $0, seed: 1) }
        let names = Set(HaltFault.all.map(\.name))
        #expect(names.count == HaltFault.all.count)
        #expect(Set(presses.prefix(5).flatMap { $0.faults.map(\.name) }) == names)
        #expect(presses.allSatisfy { 1...3 ~= $0.faults.count })
        #expect((5...40).contains(presses.count(where: \.isEarly)))
        #expect(Set(presses.dropFirst(5).flatMap { $0.faults.map(\.name) }) == names)
    }

    @Test("A percentile is a time that was measured")
    func percentiles() {
        let times = (1...200).reversed().map { Duration.milliseconds($0) }
        #expect([0.5, 0.99, 1].map { HaltReport.percentile($0, of: times) / .milliseconds(1) } == [100, 198, 200])
        #expect(HaltReport.percentile(0.99, of: [.seconds(1)]) == .seconds(1))
        #expect(HaltReport.percentile(0.5, of: []) == .zero)
    }

    @Test("The environment chooses the form, and a wrong value is named")
    func environment() throws {
        let asked = try HaltPlan.from(environment: ["HALT_PRESSES": "200", "HALT_SEED": "5"])
        #expect(asked.presses == 200 && asked.seed == 5 && asked.executables == LabProcess.executables)
        #expect(throws: SettingsError(messages: ["HALT_PRESSES=0: must be an integer from 1 to 10000"])) {
            try HaltPlan.from(environment: ["HALT_PRESSES": "0"])
        }
    }
}
