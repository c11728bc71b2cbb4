import Experiments
import Foundation
import HTTPTypes
import Shared
import Testing

@testable import ScenarioRunner

@Suite struct RunBodyTests {
    private func body(_ json: String) throws -> RunBody {
        try JSONDecoder().decode(RunBody.self, from: Data(json.utf8))
    }

    @Test func theDefaultsAreThoseOfTheCommandLine() throws {
        let body = try body(#"{"experiment": "x"}"#)
        #expect(body.origin == .api && body.rate == nil && body.seed == nil)
        #expect(body.baseline == .seconds(10) && body.duration == nil && body.recovery == .seconds(20))
        let request = try body.request(RunnerLab.request().experiment)
        #expect(request.duration == .seconds(30) && request.rate == 20 && request.resilience == nil)
    }

    @Test func valuesAreTaken() throws {
        let body = try body(
            """
            {"experiment": "x", "origin": "command-line", "baseline": "1s", "duration": "15m", "recovery": "1m30s",
             "rate": 1, "seed": 0}
            """)
        #expect(body.origin == .commandLine && body.rate == 1 && body.seed == 0)
        #expect(body.baseline == .seconds(1) && body.duration == .seconds(900) && body.recovery == .seconds(90))
    }

    @Test func theLimitsAreThoseOfEveryRun() throws {
        func phases(_ baseline: Duration, _ duration: Duration) throws -> RunBody {
            try body(
                """
                {"experiment": "x", "baseline": "\(GoDuration.text(baseline))", "duration": "\(GoDuration.text(duration))",
                 "rate": 1}
                """)
        }
        _ = try phases(RunLimits.longestPhase, RunLimits.longestFault)
        #expect(throws: Problem.self) { try phases(RunLimits.longestPhase + .seconds(1), .seconds(1)) }
        #expect(throws: Problem.self) { try phases(.seconds(1), RunLimits.longestFault + .seconds(1)) }
        let most = RunLimits.rates.upperBound
        #expect(try body(#"{"experiment": "x", "rate": \#(most)}"#).rate == most)
        #expect(throws: Problem.self) { try body(#"{"experiment": "x", "rate": \#(most + 1)}"#) }
    }

    @Test func everyMistakeIsNamedAtOnce() throws {
        let problem = #expect(throws: Problem.self) {
            try body(#"{"baseline": "x", "duration": null, "rate": 0, "seed": 1.5, "origin": "me"}"#)
        }
        let detail = try #require(problem?.detail)
        for field in ["experiment", "baseline", "duration", "rate", "seed", "origin"] {
            #expect(detail.contains("\(field): "), "\(detail)")
        }
        #expect(problem?.status == .unprocessableContent)
    }

    @Test func whatIsExpectedTakesThePlaceOfTheExperiments() throws {
        let experiment = try RunnerLab.request().experiment
        let own = try body(#"{"experiment": "x"}"#).request(experiment)
        #expect(own.hypothesis == experiment.hypothesis && own.stopConditions == experiment.stopConditions)
        let one = try body(#"{"experiment": "x", "expect": "success>=99%", "stop_when": "money wrong"}"#)
        #expect(try one.request(experiment).hypothesis?.description == "success >= 99%")
        #expect(try one.request(experiment).stopConditions == [.moneyIsWrong])
        let more = try body(
            #"{"experiment": "x", "expect": ["success >= 99%", "not metastable"], "stop_when": ["p99 > 8s for 5s"]}"#)
        #expect(try more.request(experiment).hypothesis?.description == "success >= 99%, not metastable")
        #expect(try more.request(experiment).stopConditions.map(\.description) == ["p99 > 8s for 5s"])
    }

    @Test(
        arguments: [
            (#""expect": "succes >= 99%""#, "expect", "succes"), (#""expect": "success >= 99""#, "expect", "99"),
            (#""expect": ["success >= 99%", "p95 < x"]"#, "expect", "'x'"), (#""expect": []"#, "expect", "list"),
            (#""expect": [""]"#, "expect", "empty"), (#""expect": 5"#, "expect", "string"),
            (#""expect": null"#, "expect", "null"), (#""stop_when": "success < 10%""#, "stop_when", "success < 10%"),
        ])
    func aWrongExpectationIsNamed(member: String, field: String, text: String) throws {
        let problem = #expect(throws: Problem.self) { try body("{\"experiment\": \"x\", \(member)}") }
        #expect(problem?.status == .unprocessableContent)
        let detail = try #require(problem?.detail)
        #expect(detail.contains("\(field): ") && detail.contains(text), "\(detail)")
    }

    @Test func aRunHasALimitOfRequests() throws {
        func run(lasting seconds: Int) throws -> RunBody {
            let phases = #""baseline": "1s", "duration": "\#(seconds)s", "recovery": "1s""#
            return try body(#"{"experiment": "x", "rate": 2000, \#(phases)}"#)
        }
        let most = RunLimits.requests / 2000 - 2
        _ = try run(lasting: most)
        #expect(throws: Problem.self) { try run(lasting: most + 1) }
    }

    @Test func whatALeaseCovers() throws {
        let measured = try RunnerLab.request(
            rate: 20, baseline: .seconds(10), fault: .seconds(30), recovery: .seconds(20))
        #expect(measured.totalDuration == .seconds(63))
        let trigger = try RunnerLab.request(rate: 0, baseline: .zero, fault: .seconds(30), recovery: .zero)
        #expect(trigger.totalDuration == .seconds(30))
    }
}
