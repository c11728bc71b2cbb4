/// What makes faults: the lab on one Linux machine, or Chaos Mesh on Kubernetes.
///
/// ```
///   Experiment --(refusal?)--> plan --(inject)--> InjectedFault --(readings)*--> remove
/// ```
///
/// Whoever runs an experiment calls ``refusal(of:)`` first, so that a manifest that this engine cannot
/// honour in full is refused before anything changes, never half-applied.
public protocol ChaosEngine: Sendable {
    /// The engine's name in journals: `lab`, `plain` or `chaos-mesh`.
    var name: String { get }

    /// Why this engine cannot run `experiment`, or nil when it can.
    func refusal(of experiment: Experiment) -> Refusal?

    /// Whether it runs this workflow or schedule as a whole, so that nobody has to walk through its parts.
    func takesWhole(_ experiment: Experiment) -> Bool

    /// What ``inject(_:runID:seed:)`` would do with the same seed. Changes nothing.
    ///
    /// - Throws: ``Refusal``, also when the selectors choose nothing.
    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan

    /// Puts the fault in force, checks that it is, and only then returns.
    ///
    /// - Parameters:
    ///   - runID: names the fault wherever it leaves a trace (rule tables, cgroups), so that it can be undone by name.
    ///   - seed: decides every random choice, such as which replicas `mode: one` selects.
    /// - Throws: ``Refusal``, or the error of the kernel tool that failed. After a throw nothing is left behind, but for
    ///   ``FaultLeftBehind``.
    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault

    /// The same, told how long the fault is wanted at most: where faults outlive this process, they end by themselves
    /// soon after that, whatever becomes of whoever wanted them.
    func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault
}

extension ChaosEngine {
    /// Most engines know single faults.
    public func takesWhole(_ experiment: Experiment) -> Bool { false }

    /// Most faults cannot outlive this process.
    public func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault {
        try await inject(experiment, runID: runID, seed: seed)
    }
}

/// A fault in force. ``remove()`` always runs, whatever happened to the run.
public protocol InjectedFault: Sendable {
    /// What was put where, for people: `drop 80 % of payment-0,1,2 -> inventory-0,1`.
    var summary: String { get }

    /// Where it acts. None for what consists of other faults, which have places of their own.
    var places: Set<FaultPlan.Place> { get }

    /// Goes on for as long as the fault is in force, and returns soon after ``remove()`` was called: for faults that
    /// change with time. Whoever injects a fault runs this beside it.
    ///
    /// - Parameter note: is told what begins and ends: a name and a sentence.
    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork

    /// What the fault has done so far, read back from the kernel: one reading for each part of it, such as the CPU and
    /// the memory of one stress.
    func readings() async throws -> [DoseReading]

    /// Takes the fault away and checks that it is gone. A second call is harmless.
    func remove() async throws
}

extension InjectedFault {
    public var places: Set<FaultPlan.Place> { [] }

    /// Most faults act by themselves, for as long as they are wanted.
    public func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork { .goesOn }
}

/// How the work of a fault ended.
public enum FaultWork: Sendable, Equatable {
    /// The fault is in force for as long as it is wanted, or was until it was taken away.
    case goesOn
    /// All that it was to do is done, so that nobody needs to wait any longer.
    case done
    /// It ended itself before its time; the reason is a sentence for the verdict's reasons.
    case aborted(String)
}

/// An injection failed, and what it had begun could not be taken back: its fault is for the caller to remove.
public struct FaultLeftBehind: Error, CustomStringConvertible {
    public let fault: any InjectedFault
    public let injection: any Error
    public let removal: any Error

    public init(fault: any InjectedFault, injection: any Error, removal: any Error) {
        self.fault = fault
        self.injection = injection
        self.removal = removal
    }

    public var description: String { "\(injection); and it could not be taken back: \(removal)" }
}

/// An error that may be of the way to what makes faults, and say nothing of the fault.
public protocol PassingTrouble: Error {
    /// Whether the same may succeed soon.
    var mayPass: Bool { get }
}

/// Why an experiment is not run, with the place in its file.
public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The manifest's path as the user named it.
    public let file: String
    /// The line in that file, from 1.
    public let line: Int
    /// The field at fault, as a path: `spec.delay.latency`.
    public let field: String
    /// What is wrong with it and what to do about it.
    public let reason: String

    public init(file: String, line: Int, field: String, reason: String) {
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
    }

    public var description: String { "\(file):\(line): \(field): \(reason)" }
}

/// What a selector sees of one replica (a pod, on Kubernetes).
public struct ReplicaFacts: Sendable, Equatable {
    /// `payment-0`.
    public let name: String
    public let namespace: String
    /// Kubernetes labels, such as `app: payment-service`.
    public let labels: [String: String]
    /// `Running`, `Pending`, `Failed`.
    public let phase: String

    public init(name: String, namespace: String, labels: [String: String], phase: String) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.phase = phase
    }
}

/// What a fault has done so far. Counters only grow.
public enum DoseReading: Sendable, Equatable {
    /// Packets that crossed the faulty paths, and those of them that were dropped.
    /// `asked` is the share asked for, 0 to 1.
    case packets(asked: Double, seen: UInt64, dropped: UInt64)
    /// Packets chosen one by one, perhaps each with an eye on the one before.
    case share(ShareReading)
    case delay(DelayReading)
    case rate(RateReading)
    /// CPU time burnt by the stress workers, over the wall time since injection.
    /// `asked_cores` is what the manifest asks (workers x load); `attainable_cores` what the replicas' limits
    /// and the machine leave of it.
    case cpu(askedCores: Double, attainableCores: Double, burntSeconds: Double, wallSeconds: Double)
    /// Steps of a plan over time that were due, and those that took effect.
    case steps(asked: Int, done: Int)
    /// Bytes that the workers hold now, of the bytes asked for, and how many workers the kernel killed for memory.
    case memory(askedBytes: UInt64, heldBytes: UInt64, outOfMemoryKills: Int)
    case disk(DiskReading)
    case kills(KillReading)
    case targets(TargetReading)
    case traffic(TrafficReading)
    case downtime(DowntimeReading)
}
