import Experiments
import Foundation

/// The record of a run, from which every report is made. `docs/journal.schema.json` describes it as JSON.
///
/// ```
///   asked:     input, seed, engine, machine, doctor, topology
///   measured:  phases, series, load, replicas, dose, recovery, money, events
///   concluded: effects, degradation, replica_findings, expected, verdict, reasons
/// ```
public struct Journal: Codable, Sendable, Equatable {
    /// Raised with every change that a reader of the last one would misread.
    public static let schemaVersion = 2

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

    private var schema = Schema()
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
    /// What it was asked to do.
    public var input: RunInput
    public var machine: RunMachine
    /// What the machine can and cannot do: the finding under its short name. Empty where nobody examined it.
    public var doctor: [String: DoctorFinding] = [:]
    public var topology = RunTopology()
    public var phases: [PhaseSummary] = []
    public var series: [SeriesPoint] = []
    /// What the load generator says of itself; nil when it said nothing.
    public var load: LoadFacts?
    /// What the fault and the time after it did to the users, against the baseline. Empty where too little was measured.
    public var effects: [Effect] = []
    public var degradation = Degradation(baseline: nil, fault: nil)
    public var replicas: [ReplicaSummary] = []
    /// The replicas that are not like their peers.
    public var replicaFindings: [ReplicaFinding] = []
    public var dose: Dose?
    public var recovery = RecoveryFacts()
    public var expected = ExpectedFacts()
    public var money = MoneyCheck.notMade
    public var events: [Event] = []

    public init(
        runID: String, experiment: String, verdict: Verdict, reasons: [String], seed: UInt64, startedAt: Double,
        engine: String, input: RunInput, machine: RunMachine
    ) {
        self.runID = runID
        self.experiment = experiment
        self.verdict = verdict
        self.reasons = reasons
        self.seed = seed
        self.startedAt = startedAt
        self.engine = engine
        self.input = input
        self.machine = machine
    }

    /// Nil when the system did not recover while it was watched.
    public var recoveryTimeMs: Int? { recovery.timeToRecoverMs }
    /// Whether the system stayed bad without the fault; nil: not judged.
    public var metastable: Bool? { recovery.metastable }

    public func phase(_ name: PhaseName) -> PhaseSummary? { phases.first { $0.name == name } }

    /// As JSON with sorted keys and a line break at the end, so that two journals can be compared line by line.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// - Throws: ``OtherJournalSchema`` for a journal of an earlier or later program, `DecodingError` for what is none.
    public init(json: Data) throws {
        self = try JSONDecoder().decode(Journal.self, from: json)
    }

    private struct Schema: Codable, Sendable, Equatable {
        init() {}

        init(from decoder: any Decoder) throws {
            let version = try decoder.singleValueContainer().decode(Int.self)
            guard version == Journal.schemaVersion else { throw OtherJournalSchema(version: version) }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(Journal.schemaVersion)
        }
    }
}

/// A journal that another version of the program wrote. It is not converted: what it lacks was never measured.
public struct OtherJournalSchema: Error, Sendable, Equatable, CustomStringConvertible {
    public let version: Int

    public init(version: Int) {
        self.version = version
    }

    public var description: String {
        "a journal of schema \(version): this program reads schema \(Journal.schemaVersion); read it with the program "
            + "that wrote it, or run the experiment again"
    }
}

extension Journal {
    private enum CodingKeys: String, CodingKey {
        // Read in this order: another schema is refused as such, and not for what it lacks.
        case schema = "schema_version"
        case experiment, fault, verdict, reasons, seed, engine, input, machine, doctor, topology, phases, series, load
        case effects, degradation, replicas, dose, recovery, expected, money, events
        case runID = "run_id"
        case startedAt = "started_at"
        case replicaFindings = "replica_findings"
    }

    /// Copies of what ``recovery`` says, for those who look for them at the top; written, never read.
    private enum CopyKeys: String, CodingKey {
        case metastable
        case recoveryTimeMs = "recovery_time_ms"
    }

    /// Written by hand for its nulls: "not recovered" is a finding, and an absent member would look like an old schema.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schema, forKey: .schema)
        try container.encode(runID, forKey: .runID)
        try container.encode(experiment, forKey: .experiment)
        try container.encode(fault, forKey: .fault)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(seed, forKey: .seed)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(engine, forKey: .engine)
        try container.encode(input, forKey: .input)
        try container.encode(machine, forKey: .machine)
        try container.encode(doctor, forKey: .doctor)
        try container.encode(topology, forKey: .topology)
        try container.encode(phases, forKey: .phases)
        try container.encode(series, forKey: .series)
        try container.encode(load, forKey: .load)
        try container.encode(effects, forKey: .effects)
        try container.encode(degradation, forKey: .degradation)
        try container.encode(replicas, forKey: .replicas)
        try container.encode(replicaFindings, forKey: .replicaFindings)
        try container.encode(dose, forKey: .dose)
        try container.encode(recovery, forKey: .recovery)
        try container.encode(expected, forKey: .expected)
        try container.encode(money, forKey: .money)
        try container.encode(events, forKey: .events)
        var copies = encoder.container(keyedBy: CopyKeys.self)
        try copies.encode(recoveryTimeMs, forKey: .recoveryTimeMs)
        try copies.encode(metastable, forKey: .metastable)
    }
}
