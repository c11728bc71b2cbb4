import Experiments
import Foundation
import Load
import Shared
import Subprocess
import Synchronization
import SystemPackage
import Verdict

/// What carries out a load: a worker process where the users are.
protocol LoadWorker: Sendable {
    /// Sends the load until it is over, or until `stop` opens and what was under way has ended; not that long once
    /// `abort` is open.
    ///
    /// - Parameter onLine: is called in the order of the lines.
    /// - Throws: ``LabError`` when the load ended early although nobody opened `stop` or `abort`.
    func run(
        _ order: LoadWorkerOrder, stop: Latch, abort: Latch, onLine: @escaping @Sendable (LoadWorkerLine) -> Void
    ) async throws
}

/// A load as a process of its own where the users are: on the lab's `client` host, on loopback, or in the runner's pod.
///
/// ```
///   runner --(order on standard input)--> load-worker --(one JSON line a request, a second)--> onLine
///          --(SIGTERM)------------------> stops sending, waits for what is under way, ends
/// ```
struct LoadWorkerProcess: LoadWorker, RunLoad {
    let system: SystemUnderTest

    /// After SIGTERM, beyond the time limit of a request: a little for the process itself.
    static let drainTime = Duration.seconds(5)

    func run(
        _ order: LoadWorkerOrder, stop: Latch, abort: Latch, onLine: @escaping @Sendable (LoadWorkerLine) -> Void
    ) async throws {
        let command = system.command("load-worker")
        var options = PlatformOptions()
        options.processGroupID = 0
        let input = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
        let patience = Duration.milliseconds(order.timeoutMs) + Self.drainTime
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())), platformOptions: options,
            input: .inputWriter, output: .sequence, error: .discarded
        ) { execution in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // One that is stopped at once is gone before it has read its order: no failure of the runner's, which
                    // an input that is written by itself would end with a trap.
                    _ = try? await execution.standardInputWriter.write(input)
                    try? await execution.standardInputWriter.finish()
                }
                group.addTask {
                    await stop.wait()
                    try execution.send(signal: .terminate)
                    _ = await abort.wait(until: .now + patience)
                    try execution.send(signal: .kill)
                }
                try await Self.read(execution.standardOutput.strings(), onLine)
                group.cancelAll()
            }
        }
        let status = result.terminationStatus
        // Whoever ends it before it listens to the signal ends it by the signal.
        guard status.isSuccess || abort.isOpen || (stop.isOpen && status == .signaled(SIGTERM)) else {
            throw LabError("the load generator ended with \(status)")
        }
    }

    private static func read(
        _ lines: some AsyncSequence<String, any Error>, _ onLine: @Sendable (LoadWorkerLine) -> Void
    ) async throws {
        let decoder = JSONDecoder()
        for try await line in lines where !line.isEmpty {
            onLine(try decoder.decode(LoadWorkerLine.self, from: Data(line.utf8)))
        }
    }

    // MARK: RunLoad

    func run(
        _ order: LoadOrder, stop: Latch, abort: Latch, onSample: @escaping @Sendable (RequestSample) -> Void
    ) async throws -> LoadFacts? {
        var shape = LoadShape()
        shape.rate = Double(order.rate)
        shape.arrivals = order.arrivals
        shape.durationMs = Int(order.atMost.nanoseconds / 1_000_000)
        var worker = LoadWorkerOrder(
            order.profile, shape: shape, seed: order.seed, runID: order.runID, targets: system.targets)
        worker.tellsSamples = true
        let facts = Mutex<LoadFacts?>(nil)
        try await run(worker, stop: stop, abort: abort) { line in
            switch line {
            case .sample(let sample): onSample(sample)
            case .summary(let summary): facts.withLock { $0 = LoadFacts(summary, rate: order.rate) }
            case .second, .progress: break
            }
        }
        return facts.withLock { $0 }
    }
}

extension LoadFacts {
    /// - Parameter rate: requests a second that were asked for.
    init(_ summary: LoadSummary, rate: Int) {
        self.init(
            model: summary.model, arrivals: summary.arrivals?.rawValue ?? "", rateRps: Double(rate),
            sent: summary.requests - summary.dropped, lateSends: summary.lateSends, dropped: summary.dropped,
            cpuUsPerRequest: summary.cpuUsPerRequest)
    }
}
