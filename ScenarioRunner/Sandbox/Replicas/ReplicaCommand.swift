/// What one replica may use, as a Kubernetes manifest says it.
public struct ResourceLimits: Sendable, Equatable {
    /// Thousandths of a core, from 10 (the kernel's smallest quota, 1 ms of 100 ms).
    public let cpuMillicores: Int
    public let memoryBytes: UInt64

    /// The limits of the deployment in `k8s/`: 200m and 128Mi.
    public static let deployment = ResourceLimits(cpuMillicores: 200, memoryBytes: 128 << 20)

    public init(cpuMillicores: Int, memoryBytes: UInt64) {
        precondition(cpuMillicores >= 10, "the kernel knows no quota below 10 millicores")
        self.cpuMillicores = cpuMillicores
        self.memoryBytes = memoryBytes
    }

    /// The processor time allowed, in cores.
    public var cores: Double { Double(cpuMillicores) / 1000 }
}

/// How the supervisor starts one replica.
public struct ReplicaCommand: Sendable, Equatable {
    /// `payment-0`. Unique in a supervisor.
    public let name: String
    /// The whole command line; the first element is the absolute path of the program.
    public let arguments: [String]
    /// The whole environment; nothing is inherited.
    public let environment: [String: String]
    /// Takes standard output and standard error. Its folder exists.
    public let logFile: String
    /// Limits that the supervisor holds itself, by stopping and continuing the process and by watching its memory.
    /// Nil where a control group holds them, and where there are none.
    public let limits: ResourceLimits?

    public init(
        name: String, arguments: [String], environment: [String: String], logFile: String,
        limits: ResourceLimits? = nil
    ) {
        precondition(!arguments.isEmpty, "a command line needs a program")
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.logFile = logFile
        self.limits = limits
    }
}
