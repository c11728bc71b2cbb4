import Foundation
import Shared

/// What disk workers have done since their fault was in force.
public struct DiskReading: Sendable, Equatable {
    public let workers: Int
    /// Workers that have not made one fsync.
    public let idleWorkers: Int
    public let fsyncs: UInt64
    /// Written and brought to the disk by those fsyncs.
    public let bytes: UInt64
    public let wallSeconds: Double

    public init(workers: Int, idleWorkers: Int, fsyncs: UInt64, bytes: UInt64, wallSeconds: Double) {
        self.workers = workers
        self.idleWorkers = idleWorkers
        self.fsyncs = fsyncs
        self.bytes = bytes
        self.wallSeconds = wallSeconds
    }
}

/// The containers that a fault was to be put into, and those that it is in, as whoever put it there says. What it does
/// there nobody has counted.
public struct TargetReading: Sendable, Equatable {
    public let asked: Int
    public let injected: [String]
    /// Why it is not in the others, as far as that is known.
    public let troubles: [String]

    public init(asked: Int, injected: [String], troubles: [String]) {
        self.asked = asked
        self.injected = injected
        self.troubles = troubles
    }
}

/// The processes that a fault was to end, and those that did.
public struct KillReading: Sendable, Equatable {
    /// One process that ended after the fault's signal.
    public struct Kill: Sendable, Equatable {
        public let replica: String
        /// In the lab's own PID namespace; nil where only the end shows.
        public let pid: Int32?
        /// `signal 9`, `exit code 0`.
        public let end: String
        /// When its end was noticed, in the time of the services' logs.
        public let time: UnixTime

        public init(replica: String, pid: Int32?, end: String, time: UnixTime) {
            self.replica = replica
            self.pid = pid
            self.end = end
            self.time = time
        }
    }

    public let asked: Int
    /// In the order of their ends.
    public let killed: [Kill]
    /// Replicas whose process has its grace period, or did not end by it.
    public let waiting: [String]

    public init(asked: Int, killed: [Kill], waiting: [String]) {
        self.asked = asked
        self.killed = killed
        self.waiting = waiting
    }
}

/// The replicas that a fault keeps down.
public struct DowntimeReading: Sendable, Equatable {
    public let asked: Int
    /// Those without a process, and not started again.
    public let down: [String]
    /// Since when all of them were down, until now or until the fault was undone.
    public let seconds: Double

    public init(asked: Int, down: [String], seconds: Double) {
        self.asked = asked
        self.down = down
        self.seconds = seconds
    }
}

extension Dose {
    /// Nobody asks for a number of fsyncs: `asked` is 0.
    init(_ reading: DiskReading) {
        let isRunning = reading.fsyncs > 0 && reading.wallSeconds > 0
        self.init(
            kind: .disk, asked: 0, delivered: isRunning ? Double(reading.fsyncs) / reading.wallSeconds : 0,
            unit: "fsyncs/s", effective: isRunning && reading.idleWorkers == 0,
            detail: String(
                format: "%.0f fsyncs of %.1f MB in %.1f s by %d workers", Double(reading.fsyncs),
                Double(reading.bytes) / 1e6, reading.wallSeconds, reading.workers),
            findings: reading.idleWorkers == 0
                ? [] : ["\(reading.idleWorkers) of \(reading.workers) disk workers made no fsync"])
    }

    init(_ reading: KillReading) {
        let kills = reading.killed.map { kill in
            // Half a millisecond more: the format cuts, and a binary fraction may lie just below.
            let time = Date(timeIntervalSince1970: kill.time.seconds + 0.0005)
                .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            let pid = kill.pid.map { "pid \($0), " } ?? ""
            return "\(kill.replica) (\(pid)\(kill.end)) at \(time)"
        }
        self.init(
            kind: .processKill, asked: Double(reading.asked), delivered: Double(reading.killed.count),
            unit: "processes", effective: reading.asked > 0 && reading.killed.count == reading.asked,
            detail: kills.isEmpty ? "no process ended" : kills.joined(separator: ", "),
            findings: reading.waiting.isEmpty
                ? [] : ["not ended when it was last looked at: \(reading.waiting.joined(separator: ", "))"])
    }

    init(_ reading: TargetReading) {
        self.init(
            kind: .targets, asked: Double(reading.asked), delivered: Double(reading.injected.count), unit: "targets",
            effective: reading.asked > 0 && reading.injected.count >= reading.asked,
            detail: reading.injected.isEmpty
                ? "injected nowhere" : "injected into \(reading.injected.joined(separator: ", ")), by the records",
            findings: reading.troubles)
    }

    init(_ reading: DowntimeReading) {
        self.init(
            kind: .downtime, asked: Double(reading.asked), delivered: Double(reading.down.count), unit: "replicas",
            effective: reading.asked > 0 && reading.down.count == reading.asked && reading.seconds > 0,
            detail: reading.down.isEmpty
                ? "none is down"
                : reading.down.joined(separator: ", ") + String(format: " down for %.1f s", reading.seconds),
            findings: [])
    }
}
