import Experiments
import Foundation
import Shared
import Testing

@testable import ScenarioRunner

/// What forms are told of a run is what the API takes.
@Suite struct RunChoicesTests {
    private func body(_ name: String, _ value: Int, _ unit: String) throws -> RunBody {
        let text = unit.isEmpty ? "\(value)" : "\"\(value)\(unit)\""
        return try JSONDecoder().decode(RunBody.self, from: Data("{\"experiment\": \"x\", \"\(name)\": \(text)}".utf8))
    }

    @Test func whatIsOfferedIsTakenAndNothingBeyond() throws {
        let choices = RunChoices(try RunnerLab.request().experiment)
        for (name, choice, unit) in [
            ("baseline", choices.baselineS, "s"), ("duration", choices.durationS, "s"),
            ("recovery", choices.recoveryS, "s"), ("rate", choices.rateRps, ""), ("seed", choices.seed, ""),
        ] {
            for value in [choice.least, choice.most] {
                #expect(throws: Never.self, "\(name) \(value)") { try body(name, value, unit) }
            }
            for value in [choice.least - 1, choice.most + 1] {
                #expect(throws: Problem.self, "\(name) \(value)") { try body(name, value, unit) }
            }
        }
    }

    @Test func whatIsUsualIsWhatHoldsWithoutAChoice() throws {
        let experiment = try RunnerLab.request().experiment
        let choices = RunChoices(experiment)
        let request = try JSONDecoder().decode(RunBody.self, from: Data(#"{"experiment": "x"}"#.utf8))
            .request(experiment)
        #expect(choices.baselineS.usual.map(Duration.seconds) == request.baseline)
        #expect(choices.durationS.usual.map(Duration.seconds) == request.duration)
        #expect(choices.recoveryS.usual.map(Duration.seconds) == request.recovery)
        #expect(choices.rateRps.usual == request.rate && choices.seed.usual == nil)
    }

    @Test func aPlanOverTimeLastsAsItSays() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "chaos-experiments/02-packet-loss-80-percent.yaml")
        let experiments = Catalogue.load(file: file.path).experiments
        for experiment in experiments {
            let isPlan = ["Workflow", "Schedule"].contains(experiment.kind)
            #expect((RunChoices(experiment).durationS.usual == nil) == isPlan, "\(experiment.name)")
        }
        #expect(Set(experiments.map(\.kind)) == ["NetworkChaos", "Schedule", "Workflow"])
    }
}
