import Experiments
import Foundation

/// JUnit's XML as Jenkins, GitLab and GitHub's actions read it: one suite a run, one case for each thing that was to be.
///
/// | verdict of the run | cases |
/// |---|---|
/// | held, deviated | each passes or is a `failure` |
/// | aborted, invalid | the run itself is an `error` |
public struct JUnitReport: Sendable {
    struct Case: Sendable, Equatable {
        enum Outcome: Sendable, Equatable {
            case passed
            case failed(String)
            case errored(String)
            case skipped(String)
        }

        let name: String
        let outcome: Outcome

        var isFailure: Bool { if case .failed = outcome { true } else { false } }
    }

    public struct Suite: Sendable, Equatable {
        let name: String
        /// Unix seconds; nil for what never began.
        let startedAt: Double?
        let seconds: Double
        let cases: [Case]
        var properties: [String: String] = [:]
    }

    let suites: [Suite]

    public init(suites: [Suite]) { self.suites = suites }

    public var xml: String {
        let parts: [Markup] = suites.map(Self.markup)
        let all = suites.flatMap(\.cases)
        let document: Markup = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="payment-chaos" \(Self.counts(all)) time="\(suites.reduce(0) { $0 + $1.seconds })">
            \(parts)</testsuites>

            """
        return document.text
    }

    private static func markup(_ suite: Suite) -> Markup {
        let properties: [Markup] = suite.properties.sorted { $0.key < $1.key }.map {
            "    <property name=\"\($0.key)\" value=\"\($0.value)\"/>\n"
        }
        let cases: [Markup] = suite.cases.map { markup($0, suite.name) }
        let time: Markup = suite.startedAt.map { " timestamp=\"\(Self.timestamp($0))\"" } ?? .none
        return """
              <testsuite name="\(suite.name)" \(counts(suite.cases)) time="\(suite.seconds)"\(time)>
                <properties>
            \(properties)    </properties>
            \(cases)  </testsuite>

            """
    }

    private static func markup(_ testCase: Case, _ suite: String) -> Markup {
        let head: Markup = "    <testcase classname=\"\(suite)\" name=\"\(testCase.name)\" time=\"0\""
        switch testCase.outcome {
        case .passed: return "\(head)/>\n"
        case .failed(let text): return "\(head)><failure message=\"\(text)\">\(text)</failure></testcase>\n"
        case .errored(let text): return "\(head)><error message=\"\(text)\">\(text)</error></testcase>\n"
        case .skipped(let text): return "\(head)><skipped message=\"\(text)\"/></testcase>\n"
        }
    }

    private static func counts(_ cases: [Case]) -> Markup {
        func count(_ isOne: (Case.Outcome) -> Bool) -> Int { cases.count { isOne($0.outcome) } }
        let failures = cases.count(where: \.isFailure)
        let errors = count { if case .errored = $0 { true } else { false } }
        let skipped = count { if case .skipped = $0 { true } else { false } }
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
    }

    /// `2026-11-25T09:22:31`, in UTC.
    private static func timestamp(_ unixSeconds: Double) -> String {
        Date(timeIntervalSince1970: unixSeconds.isFinite ? unixSeconds : 0)
            .formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
    }
}

extension JUnitReport.Suite {
    /// A run.
    public init(_ journal: Journal) {
        let end = RunTimeline(journal).end
        let judged = journal.verdict == .held || journal.verdict == .deviated
        var cases = Self.cases(journal, judged)
        if !judged {
            let text = "\(journal.verdict.rawValue): \(journal.reasons.joined(separator: "; "))"
            cases.insert(.init(name: "run", outcome: .errored(text)), at: 0)
        } else if journal.verdict == .deviated, !cases.contains(where: \.isFailure) {
            cases.append(.init(name: "verdict", outcome: .failed(journal.reasons.joined(separator: "; "))))
        }
        self.init(
            name: journal.experiment, startedAt: journal.startedAt, seconds: journal.series.isEmpty ? 0 : end,
            cases: cases,
            properties: [
                "run_id": journal.runID, "engine": journal.engine, "seed": "\(journal.seed)",
                "verdict": journal.verdict.rawValue, "fault": journal.fault,
                "program_version": journal.machine.programVersion,
            ])
    }

    /// An experiment that was not run.
    public init(notTested name: String, reason: String) {
        self.init(
            name: name, startedAt: nil, seconds: 0, cases: [.init(name: "run", outcome: .skipped(reason))])
    }

    /// In a run that is not judged, what does not hold says nothing about the system.
    private static func cases(_ journal: Journal, _ judged: Bool) -> [JUnitReport.Case] {
        func outcome(_ holds: Bool?, _ text: String) -> JUnitReport.Case.Outcome {
            guard judged else { return .skipped("the run is \(journal.verdict.rawValue): \(text)") }
            return holds.map { $0 ? .passed : .failed(text) } ?? .skipped(text)
        }
        var cases: [JUnitReport.Case] = [
            .init(
                name: "dose",
                outcome: outcome(journal.dose?.effective, journal.dose?.text ?? "nothing is known of the dose"))
        ]
        cases += journal.expected.clauses.map { clause in
            let holds: Bool? = clause.outcome == .unknown ? nil : clause.outcome == .held
            return .init(name: "hypothesis: \(clause.text)", outcome: outcome(holds, "measured: \(clause.measured)"))
        }
        // What the hypothesis speaks of, it decides.
        if !journal.expected.clauses.contains(where: { $0.text.hasPrefix("recovery") }) {
            let isWatched = journal.phase(.recovery) != nil
            cases.append(
                .init(
                    name: "recovery",
                    outcome: outcome(isWatched ? journal.recoveryTimeMs != nil : nil, RecoveryText(journal).text)))
        }
        if !journal.expected.clauses.contains(where: { $0.text.hasPrefix("money") }) {
            let isRight: Bool? = journal.money.notChecked == nil ? journal.money.violationCount == 0 : nil
            cases.append(.init(name: "money", outcome: outcome(isRight, journal.money.reason)))
        }
        if journal.metastable == true, !journal.expected.clauses.contains(where: { $0.text.contains("metastable") }) {
            cases.append(.init(name: "metastability", outcome: outcome(false, RecoveryText(journal).text)))
        }
        return cases
    }
}
