import Experiments
import Foundation

/// The record of a run, from which every report is made.
public struct Journal: Codable, Sendable, Equatable {
    public static let schemaVersion = 1

    /// Something that happened in a run.
    public struct Event: Codable, Sendable, Equatable {
        /// Seconds from the start of the run.
        public let t: Double
        /// `fault_injected`, `fault_removed`, ...
        public let name: String
        public let detail: String

        public init(t: Double, name: String, detail: String) {
            self.t = t
            self.name = name
            self.detail = detail
        }
    }

    public var schemaVersion = Journal.schemaVersion
    public var runID: String
    /// The experiment's name.
    public var experiment: String
    /// What was put where, in words.
    public var fault = ""
    public var verdict: Verdict
    public var reasons: [String]
    public var seed: UInt64
    /// Unix seconds.
    public var startedAt: Double
    /// `lab`, `plain`, `chaos-mesh`.
    public var engine: String
    /// What the machine can and cannot do: a short name and the finding.
    public var doctor: [String: String] = [:]
    public var phases: [PhaseSummary] = []
    public var series: [SeriesPoint] = []
    public var degradation = Degradation(baseline: nil, fault: nil)
    public var dose: Dose?
    /// Nil when the system did not recover while it was watched.
    public var recoveryTimeMs: Int?
    /// Whether the system stayed bad without the fault; nil: not judged.
    public var metastable: Bool?
    public var money = MoneyCheck.notMade
    public var events: [Event] = []

    public init(
        runID: String, experiment: String, verdict: Verdict, reasons: [String], seed: UInt64, startedAt: Double,
        engine: String
    ) {
        self.runID = runID
        self.experiment = experiment
        self.verdict = verdict
        self.reasons = reasons
        self.seed = seed
        self.startedAt = startedAt
        self.engine = engine
    }

    public func phase(_ name: PhaseName) -> PhaseSummary? { phases.first { $0.name == name } }

    /// As JSON with sorted keys and a line break at the end, so that two journals can be compared line by line.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// - Throws: `DecodingError`, also for another ``schemaVersion``.
    public init(json: Data) throws {
        self = try JSONDecoder().decode(Journal.self, from: json)
        guard schemaVersion == Journal.schemaVersion else {
            let problem = "a journal of schema \(schemaVersion): this program reads \(Journal.schemaVersion)"
            throw DecodingError.dataCorrupted(.init(codingPath: [CodingKeys.schemaVersion], debugDescription: problem))
        }
    }
}

extension Journal {
    private enum CodingKeys: String, CodingKey {
        case experiment, fault, verdict, reasons, seed, engine, doctor, phases, series, degradation, dose, metastable
        case money, events
        case schemaVersion = "schema_version"
        case runID = "run_id"
        case startedAt = "started_at"
        case recoveryTimeMs = "recovery_time_ms"
    }

    /// Written by hand for its nulls: "not recovered" is a finding, and an absent member would look like an old schema.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(runID, forKey: .runID)
        try container.encode(experiment, forKey: .experiment)
        try container.encode(fault, forKey: .fault)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(seed, forKey: .seed)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(engine, forKey: .engine)
        try container.encode(doctor, forKey: .doctor)
        try container.encode(phases, forKey: .phases)
        try container.encode(series, forKey: .series)
        try container.encode(degradation, forKey: .degradation)
        try container.encode(dose, forKey: .dose)
        try container.encode(recoveryTimeMs, forKey: .recoveryTimeMs)
        try container.encode(metastable, forKey: .metastable)
        try container.encode(money, forKey: .money)
        try container.encode(events, forKey: .events)
    }
}
