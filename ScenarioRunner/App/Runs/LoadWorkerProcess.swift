import Experiments
import Foundation
import Load
import Shared
import Subprocess
import SystemPackage

/// The load of a run, as a process of its own where the users are: on the lab's `client` host, or on loopback.
///
/// ```
///   runner --(command line)--> load-worker --(one JSON line a request)--> onSample
///          --(SIGTERM)-------> stops sending, waits for what is under way, ends
/// ```
struct LoadWorkerProcess: RunLoad {
    let world: LabWorld

    /// After SIGTERM: the time limit of a request, and a little for the process itself.
    static let drainTime = LoadPlan.patience + .seconds(5)

    /// - Throws: ``LabError`` when the worker cannot be started or fails.
    func run(
        _ order: LoadOrder, stop: Latch, abort: Latch, onSample: @escaping @Sendable (RequestSample) -> Void
    ) async throws {
        let command = world.commandOnClient([
            world.settings.executable("scenario-runner"), "load-worker", "--base-url", world.paymentURL,
            "--rate", String(order.rate), "--duration-ms", String(order.atMost.nanoseconds / 1_000_000),
            "--seed", String(order.seed), "--run-id", order.runID,
        ])
        var options = PlatformOptions()
        options.processGroupID = 0
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())), platformOptions: options,
            input: .none, output: .sequence, error: .discarded
        ) { execution in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await stop.wait()
                    try execution.send(signal: .terminate)
                    _ = await abort.wait(until: .now + Self.drainTime)
                    try execution.send(signal: .kill)
                }
                try await Self.read(execution.standardOutput.strings(), onSample)
                group.cancelAll()
            }
        }
        guard result.terminationStatus.isSuccess || abort.isOpen else {
            throw LabError("the load generator ended with \(result.terminationStatus)")
        }
    }

    private static func read(
        _ lines: some AsyncSequence<String, any Error>, _ onSample: @Sendable (RequestSample) -> Void
    ) async throws {
        let decoder = JSONDecoder()
        for try await line in lines where !line.isEmpty {
            onSample(try decoder.decode(RequestSample.self, from: Data(line.utf8)))
        }
    }
}
