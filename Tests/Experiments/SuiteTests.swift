import Experiments
import Foundation
import Testing

@Suite struct SuiteTests {
    @Test func aSuiteNamesExperimentsWithWhatIsDifferent() throws {
        let suite = try Suite(
            yaml: """
                name: nightly
                rest: 5s
                rate: 50
                baseline: 10s
                experiments:
                  - packet-loss-80-percent
                  - name: cpu-stress-payment
                    duration: 1m
                    rate: 20
                    expect: success >= 95%, money right
                """, file: "suite.yaml")
        #expect(suite.name == "nightly" && suite.rest == .seconds(5))
        #expect(suite.entries.map(\.experiment) == ["packet-loss-80-percent", "cpu-stress-payment"])
        let first = suite.entries[0].settings.over(suite.settings)
        #expect(first.rate == 50 && first.baseline == .seconds(10) && first.duration == nil)
        let second = suite.entries[1].settings.over(suite.settings)
        #expect(second.rate == 20 && second.duration == .seconds(60) && second.baseline == .seconds(10))
        #expect(suite.entries[1].expect?.description == "success >= 95%, money right")
    }

    @Test(arguments: [
        ("experiments: []", 1, "experiments"), ("rate: 20", 1, "experiments"),
        ("name: a\nexperiment: [b]", 2, "experiment"),
        ("experiments:\n  - name: a\n    rates: 5", 3, "experiments[0].rates"),
        ("experiments:\n  - {duration: 5s}", 2, "experiments[0].name"),
        ("experiments:\n  - 7", 2, "experiments[0]"),
        ("rate: 2001\nexperiments: [a]", 1, "rate"), ("duration: 15m1s\nexperiments: [a]", 1, "duration"),
        ("baseline: 10m1s\nexperiments: [a]", 1, "baseline"), ("recovery: 11m\nexperiments: [a]", 1, "recovery"),
        ("duration: 999ms\nexperiments: [a]", 1, "duration"), ("rest: 61m\nexperiments: [a]", 1, "rest"),
        ("rate: 0\nexperiments: [a]", 1, "rate"), ("rate: fast\nexperiments: [a]", 1, "rate"),
        ("rest: soon\nexperiments: [a]", 1, "rest"), ("duration: 2h\nexperiments: [a]", 1, "duration"),
        ("experiments:\n  - name: a\n    expect: all well", 3, "experiments[0].expect"),
        ("apiVersion: chaos-mesh.org/v1alpha1\nkind: PodChaos", 1, "apiVersion"),
        ("- a\n- b", 1, ""), ("experiments: [a]\n---\nexperiments: [b]", 1, ""), ("", 1, ""), ("a: [", 2, ""),
    ])
    func whatIsWrongIsNamedWithItsPlace(yaml: String, line: Int, field: String) throws {
        let refusal = try #require(throws: Refusal.self) { try Suite(yaml: yaml, file: "suite.yaml") }
        #expect(refusal.file == "suite.yaml" && refusal.field == field, "\(refusal)")
        #expect(abs(refusal.line - line) <= (field.isEmpty ? 1 : 0), "\(refusal)")
    }

    /// What a suite lets through the runner does too: the limits are those of ``RunLimits`` in both.
    @Test func theLimitsAreThoseOfARun() throws {
        let yaml = "rest: 1h\nbaseline: 10m\nduration: 15m\nrecovery: 10m\nrate: 2000\nexperiments: [a]"
        let settings = try Suite(yaml: yaml, file: "suite.yaml").settings
        #expect(settings.rate == RunLimits.rates.upperBound && settings.duration == RunLimits.longestFault)
        #expect(settings.baseline == RunLimits.longestPhase && settings.recovery == RunLimits.longestPhase)
    }

    private static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(name).path
    }

    @Test func theExampleNamesExperimentsThatAreThere() throws {
        let file = Self.path("docs/suite-example.yaml")
        let suite = try Suite(yaml: String(contentsOfFile: file, encoding: .utf8), file: file)
        let catalogue = Catalogue.load(folder: Self.path("chaos-experiments"))
        for entry in suite.entries { #expect(catalogue.experiment(named: entry.experiment) != nil, "\(entry)") }
    }

    @Test func aFolderIsASuiteOfAllItsManifests() throws {
        let folder = Self.path("chaos-experiments")
        let suite = try Suite(folder: folder)
        #expect(suite.name == "chaos-experiments")
        #expect(suite.entries.contains { $0.experiment == "packet-loss-80-percent" && $0.problem == nil })
        #expect(throws: Refusal.self) { try Suite(folder: "\(folder)/nothing") == suite }
    }
}
