import Glibc

/// Holds one replica to its limits without control groups: stops and continues it for the processor, kills it for
/// memory, as the kernel would.
///
/// Coarser than the kernel: it looks every 5 ms, so a short burst may use a few milliseconds too many (paid back
/// afterwards) or a few megabytes. Stressors beside the replica are not counted; they share its processor instead
/// (``Pinning``).
struct LimitKeeper: Sendable {
    static let interval = Duration.milliseconds(5)

    let limits: ResourceLimits
    /// The replica's process at this moment.
    let current: @Sendable () -> ReplicaProcess?

    /// Watches until it is cancelled, over all restarts. The process is left running.
    ///
    /// - Parameter outOfMemory: hears of each kill, with the bytes held.
    func run(outOfMemory: @Sendable (UInt64) -> Void) async {
        var watched: (process: ReplicaProcess, quota: ProcessorQuota)?
        // A process left stopped could not even act on SIGTERM.
        defer { _ = watched?.process.send(SIGCONT) }
        while (try? await Task.sleep(for: Self.interval)) != nil {
            guard let process = current(), let used = ProcessStat.processorTime(of: process.pid) else {
                watched = nil
                continue
            }
            let now = ContinuousClock.now
            var quota = ProcessorQuota(cores: limits.cores, now: now, used: used)
            if let watched, watched.process === process { quota = watched.quota }
            let mightRun = quota.mayRun
            quota.observe(now: now, used: used)
            watched = (process, quota)
            if quota.mayRun != mightRun { _ = process.send(quota.mayRun ? SIGCONT : SIGSTOP) }
            if let held = ProcessStat.residentBytes(of: process.pid), held > limits.memoryBytes,
                process.send(SIGKILL)
            {
                outOfMemory(held)
            }
        }
    }
}
