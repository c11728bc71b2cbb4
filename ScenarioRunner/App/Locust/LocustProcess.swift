import Foundation
import HTTPTypes
import Load
import Shared
import Subprocess
import SystemPackage

/// Locust as a child process, where the users are: on the lab's `client` host, or on loopback.
///
/// ```
///   runner --(command line)----> locust -f locust_stream.py,shopper.py
///          <--(a report a second, JSON lines)-- standard output
///          <--(what it says, kept in LOAD-....log)-- standard error
///          --(standard input: ends with the runner)--> locust_stream.py ends the process group
/// ```
struct LocustProcess: LocustDriver {
    let installation: LocustInstallation
    let folder: LabFolder
    /// Where the services are: `PAYMENT_URL`, `INVENTORY_URL`, `NOTIFICATION_URL`.
    let addresses: [String: String]
    /// The command that runs a command where the users are.
    let place: @Sendable ([String]) -> [String]
    /// Fills the stock up, so that no run fails because the shop is empty.
    let restock: @Sendable (_ quantity: Int) async throws -> Void

    let name = "process"

    /// Beyond the time that it was given, for its start and its end; Python on a loaded machine is slow.
    static let slack = Duration.seconds(60)
    /// What a user buys in a second at most, for the stock.
    private static let salesPerSecond = 5
    /// The most that the inventory takes at a time.
    private static let maxSales = 1_000_000
    /// One line of a report with the most endpoints and errors that it has.
    private static let maxLineBytes = 1024 * 1024

    func obstacle() async -> String? { installation.obstacle }

    func start(_ order: LocustOrder) async throws -> StartedLocust {
        guard let program = installation.program else {
            throw Problem(.serviceUnavailable, installation.obstacle ?? LocustInstallation.remedy)
        }
        let sales = order.userCount * order.runTimeSeconds * Self.salesPerSecond
        return StartedLocust(follow: { stop, onReport in
            await withTaskGroup(of: Void.self) { group in
                // Beside it: where the inventory suffers, its users shall too, and at once.
                group.addTask { try? await restock(min(Self.maxSales, sales)) }
                defer { group.cancelAll() }
                do {
                    return try await run(program, order, stop, onReport)
                } catch {
                    return LocustEnd(problem: "Locust could not be run: \(error)")
                }
            }
        })
    }

    private func run(
        _ program: String, _ order: LocustOrder, _ stop: Latch, _ onReport: @escaping @Sendable (LocustReport) -> Void
    ) async throws -> LocustEnd {
        let files = folder.runs.appendingPathComponent(order.id).path
        let stream = try writeStream()
        let command = place([program] + order.arguments(stream: stream, files: files))
        let log = LocustLog(file: "\(files).log")
        var options = PlatformOptions()
        options.processGroupID = 0
        let ending = ProcessEnding(deadline: .now + order.runTime + Self.slack)
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: .custom(environment), workingDirectory: FilePath(folder.root.path), platformOptions: options,
            input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            let pid = execution.processIdentifier.value
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await Self.end(pid, ending, stop) }
                group.addTask {
                    for try await bytes in execution.standardError { log.add(bytes.withUnsafeBytes { Array($0) }) }
                }
                var last: LocustReport?
                let lines = execution.standardOutput.strings(bufferingPolicy: .maxLineLength(Self.maxLineBytes))
                for try await line in lines where !line.isEmpty {
                    guard let report = try? JSONDecoder().decode(LocustReport.self, from: Data(line.utf8)) else {
                        log.add(Array("\(line)\n".utf8))
                        continue
                    }
                    last = report
                    onReport(report)
                }
                try await group.waitForAll()
                return last
            }
        }
        return Self.judge(result.closureResult, result.terminationStatus, log)
    }

    /// What a child process learns: nothing of the person's own settings of Locust, which are in `LOCUST_...` and in the
    /// home and working folders.
    private var environment: [Environment.Key: String] {
        let kept = ["PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"]
        let inherited = ProcessInfo.processInfo.environment.filter { kept.contains($0.key) }
        let own = [
            "HOME": folder.root.path, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1",
        ]
        let all = inherited.merging(own) { $1 }.merging(addresses) { $1 }
        return Dictionary(uniqueKeysWithValues: all.map { (Environment.Key(stringLiteral: $0), $1) })
    }

    /// Writes the file that tells how a Locust goes, which this program carries within it.
    private func writeStream() throws -> String {
        let file = folder.root.appendingPathComponent("locust_stream.py")
        try Data(PackageResources.locust_stream_py).write(to: file, options: .atomic)
        return file.path
    }

    /// Returns when the process has ended, which is at the latest when it is killed.
    private static func end(_ pid: pid_t, _ ending: ProcessEnding, _ stop: Latch) async {
        await withTaskCancellationHandler {
            await uncancelled {
                var ending = ending
                while !hasEnded(pid) {
                    if let signal = ending.signal(at: .now, isStopped: stop.isOpen) { kill(-pid, signal) }
                    try? await Task.sleep(for: .milliseconds(50))
                }
                // What it started ends with it, or its pipes would stay open.
                kill(-pid, SIGKILL)
            }
        } onCancel: {
            stop.open()
        }
    }

    /// Looks without collecting its end, which is for who started it.
    private static func hasEnded(_ pid: pid_t) -> Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) != 0
            || information.si_signo != 0
    }

    private static func judge(_ last: LocustReport?, _ status: TerminationStatus, _ log: LocustLog) -> LocustEnd {
        var end = LocustEnd(summary: last?.summary)
        let how: String
        switch status {
        case .exited(let code):
            end.exitCode = Int(code)
            how = "exit code \(code)"
        case .signaled(let signal): how = "signal \(signal)"
        }
        guard last?.exitCode == nil else { return end }
        let said = log.lastLines
        end.problem = "Locust ended early with \(how)\(said.isEmpty ? "." : ": \(said)")"
        return end
    }
}
