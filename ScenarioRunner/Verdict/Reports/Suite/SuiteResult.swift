import Foundation

/// What became of a suite: its runs, and what was not tested.
public struct SuiteResult: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let experiment: String
        /// Nil when it was not run.
        public let journal: Journal?
        /// Why it was not run.
        public let notTested: String?

        public init(_ journal: Journal) {
            experiment = journal.experiment
            self.journal = journal
            notTested = nil
        }

        public init(_ experiment: String, notTested reason: String) {
            self.experiment = experiment
            journal = nil
            notTested = reason
        }

        /// Whether it says something about the system: it held or it deviated.
        public var isTested: Bool { journal?.verdict == .held || journal?.verdict == .deviated }
    }

    public let name: String
    /// Unix seconds.
    public let startedAt: Double
    public let entries: [Entry]
    /// Whether somebody ended it early.
    public let wasStopped: Bool

    public init(name: String, startedAt: Double, entries: [Entry], wasStopped: Bool = false) {
        self.name = name
        self.startedAt = startedAt
        self.entries = entries
        self.wasStopped = wasStopped
    }

    public func count(_ verdict: Verdict) -> Int { entries.count { $0.journal?.verdict == verdict } }

    /// Experiments that held or deviated. The others say nothing about the system: refused by the engine, invalid,
    /// aborted.
    public var tested: Int { entries.count { $0.isTested } }

    /// The share of the tested hypotheses that held, 0 to 1; nil when nothing was tested. What was not tested counts
    /// neither way, which is why its number always stands beside the score. An experiment that names no hypothesis has
    /// the one of every run: dose delivered, recovered, money right.
    public var score: Double? { tested == 0 ? nil : Double(count(.held)) / Double(tested) }

    /// The worst that happened, for the exit code of the command:
    /// 2 when any run deviated, else 3 when any was aborted or somebody stopped the suite, else 4 when any was invalid or nothing was tested at all,
    /// else 0. What this engine refuses to run is shown, and is no failure.
    public var exitCode: Int32 {
        if count(.deviated) > 0 { return Verdict.deviated.exitCode }
        if count(.aborted) > 0 || wasStopped { return Verdict.aborted.exitCode }
        if count(.invalid) > 0 || tested == 0 { return Verdict.invalid.exitCode }
        return Verdict.held.exitCode
    }

    /// The score in words: `78 % resilient: 7 of 9 tested hypotheses held, 3 of 12 experiments not tested`.
    public var sentence: String {
        let untested = entries.count - tested
        let rest = untested == 0 ? "" : ", \(untested) of \(entries.count) experiments not tested"
        guard let score else { return "nothing was tested: \(entries.count) experiments, none judged" }
        return "\(NumberText.percent(score)) resilient: \(count(.held)) of \(tested) tested hypotheses held\(rest)"
    }

    /// One JUnit suite an experiment.
    public var junit: String {
        JUnitReport(
            suites: entries.map { entry in
                entry.journal.map { JUnitReport.Suite($0) }
                    ?? JUnitReport.Suite(notTested: entry.experiment, reason: entry.notTested ?? "not tested")
            }
        ).xml
    }

    /// As JSON with sorted keys and a line break at the end.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(SuiteDocument(self)) + Data("\n".utf8)
    }
}

extension SuiteResult.Entry {
    /// `held`, ..., `not tested`.
    var outcome: String { journal?.verdict.rawValue ?? "not tested" }

    /// Why, in one line.
    var reason: String { journal?.reasons.first ?? notTested ?? "" }

    func measured(_ phase: PhaseName) -> PhaseSummary? { journal?.phase(phase).flatMap { $0.requests > 0 ? $0 : nil } }
}

/// A suite's result as JSON; the journals stay in their own files.
private struct SuiteDocument: Encodable {
    struct Entry: Encodable {
        let experiment: String
        let outcome: String
        let reasons: [String]
        let runID: String?
        let successRateDuring: Double?
        let p95DuringMs: Double?
        let timeToRecoverMs: Int?

        enum CodingKeys: String, CodingKey {
            case experiment, outcome, reasons
            case runID = "run_id"
            case successRateDuring = "success_rate_during"
            case p95DuringMs = "p95_during_ms"
            case timeToRecoverMs = "time_to_recover_ms"
        }
    }

    let name: String
    let startedAt: Double
    let score: Double?
    let held: Int
    let tested: Int
    let experiments: Int
    let exitCode: Int32
    let entries: [Entry]

    enum CodingKeys: String, CodingKey {
        case name, score, held, tested, experiments, entries
        case startedAt = "started_at"
        case exitCode = "exit_code"
    }

    init(_ result: SuiteResult) {
        name = result.name
        startedAt = result.startedAt
        score = result.score
        held = result.count(.held)
        tested = result.tested
        experiments = result.entries.count
        exitCode = result.exitCode
        entries = result.entries.map { entry in
            let fault = entry.measured(.fault)
            return Entry(
                experiment: entry.experiment, outcome: entry.journal?.verdict.rawValue ?? "not_tested",
                reasons: entry.journal?.reasons ?? [entry.notTested ?? ""], runID: entry.journal?.runID,
                successRateDuring: fault?.successRate, p95DuringMs: fault?.p95Ms,
                timeToRecoverMs: entry.journal?.recoveryTimeMs)
        }
    }
}
