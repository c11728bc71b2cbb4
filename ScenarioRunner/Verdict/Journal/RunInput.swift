/// What a run was asked to do: enough to ask for it again.
public struct RunInput: Codable, Sendable, Equatable {
    /// Seconds of load before the fault.
    public var baselineS: Double
    /// Seconds that the fault was to last.
    public var durationS: Double
    /// Seconds of load after it.
    public var recoveryS: Double
    /// Requests a second; 0 puts no load on the system.
    public var rateRps: Double
    /// The load profile's name; nil for the usual mix of chains and payments.
    public var profile: String?
    /// `open`: requests are due whatever became of those before; `closed`: each user waits for the answer.
    public var model: String
    /// `constant` or `poisson`.
    public var arrivals: String
    /// The resilience patterns that the services ran under, as `--resilience` takes them; nil in journals that do not say.
    public var resilience: String?
    /// What was expected, as it is parsed; nil when nobody said.
    public var hypothesis: String?
    /// When it was to end early.
    public var stopConditions: [String]
    /// Who asked: `page`, `api`, `command-line`.
    public var origin: String
    /// The experiment as a manifest (YAML).
    public var manifest: String

    public init(
        baselineS: Double, durationS: Double, recoveryS: Double, rateRps: Double, profile: String? = nil,
        model: String = "open", arrivals: String = "constant", resilience: String? = nil,
        hypothesis: String? = nil, stopConditions: [String] = [], origin: String, manifest: String
    ) {
        self.baselineS = baselineS
        self.durationS = durationS
        self.recoveryS = recoveryS
        self.rateRps = rateRps
        self.profile = profile
        self.model = model
        self.arrivals = arrivals
        self.resilience = resilience
        self.hypothesis = hypothesis
        self.stopConditions = stopConditions
        self.origin = origin
        self.manifest = manifest
    }

    enum CodingKeys: String, CodingKey {
        case profile, model, arrivals, resilience, hypothesis, origin, manifest
        case baselineS = "baseline_s"
        case durationS = "duration_s"
        case recoveryS = "recovery_s"
        case rateRps = "rate_rps"
        case stopConditions = "stop_conditions"
    }
}

/// Where a run took place.
public struct RunMachine: Codable, Sendable, Equatable {
    /// The kernel's release: `6.1.0-18-amd64`.
    public var kernel: String
    /// Processors that the program may use.
    public var cores: Int
    public var memoryBytes: UInt64
    /// Of the scenario runner.
    public var programVersion: String

    public init(kernel: String, cores: Int, memoryBytes: UInt64, programVersion: String) {
        self.kernel = kernel
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.programVersion = programVersion
    }

    enum CodingKeys: String, CodingKey {
        case kernel, cores
        case memoryBytes = "memory_bytes"
        case programVersion = "program_version"
    }
}

/// What the doctor found out about one ability of the machine.
public struct DoctorFinding: Codable, Sendable, Equatable {
    /// `ok`, `degraded` or `missing`.
    public var status: String
    public var detail: String
    /// Nil where nothing needs doing.
    public var remedy: String?

    public init(status: String, detail: String, remedy: String? = nil) {
        self.status = status
        self.detail = detail
        self.remedy = remedy
    }
}
