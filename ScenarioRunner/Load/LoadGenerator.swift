import Dispatch
import Foundation
import Shared

/// Puts a ``LoadPlan`` on a system and measures what its users would feel.
public struct LoadGenerator: Sendable {
    private let session: LoadSession
    private let loop: LoadLoop

    /// - Parameter startNs: when the load begins, on `CLOCK_MONOTONIC`; now when nil.
    /// - Throws: ``LoadLoop/TooManyOpenFiles``.
    public init(plan: LoadPlan, startNs: UInt64? = nil, observer: LoadSession.Observer = .init()) throws {
        Self.allowOpenFiles(plan.maximumInFlight + Self.otherFiles)
        session = LoadSession(plan, startNs: startNs ?? MonotonicClock.nowNs(), observer: observer)
        loop = try LoadLoop(
            forms: session.forms, timeout: plan.timeout, isPunctual: plan.isModerate,
            configuration: HTTPClientConfiguration(
                maxConnectionsPerHost: plan.maximumInFlight, maxTotalConnections: plan.maximumInFlight))
    }

    /// Sends nothing more; what is under way is awaited, a timeout at most.
    public func stop() {
        session.stop()
        loop.wake()
    }

    /// Returns when every request has ended, at the latest its timeout after the last was due. To be called once.
    ///
    /// Cancelling the task stops the load at once; what is under way then gives no sample and is not counted.
    public func run() async -> LoadSummary {
        let (before, startedAt) = (Self.cpuSeconds, UnixTime.now.seconds)
        await withTaskCancellationHandler {
            await loop.run(session)
        } onCancel: {
            session.abort()
            loop.wake()
        }
        var summary = session.summary()
        summary.startedAt = startedAt
        let sent = summary.requests - summary.dropped
        if sent > 0 { summary.cpuUsPerRequest = (Self.cpuSeconds - before) * 1e6 / Double(sent) }
        return summary
    }

    /// Of this process, in user code and in the kernel.
    private static var cpuSeconds: Double {
        var usage = rusage()
        // Cannot fail: the pointer is good.
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// What a process has open beside its connections.
    private static let otherFiles = 128

    /// As far as the system lets this process; what cannot be opened later is a failed connection.
    private static func allowOpenFiles(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < count else {
            return
        }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
