import Foundation
import Sandbox
import Shared
import Subprocess
import SystemPackage

/// The runner that a command works with: the one that it names, the lab that runs already, or a lab of its own that ends
/// with the command.
enum LabSession {
    /// From the start of the process to its first answer.
    private static let startTime = Announcement.startTime + .seconds(10)

    /// - Parameter heeded: options of those that shape a lab that the command itself looks at.
    /// - Throws: ``LabError`` when no runner can be had, ``RefusedRequest`` for options that say nothing to the one that
    ///   there is, and what `body` throws.
    static func withRunner<Value: Sendable>(
        _ target: TargetOptions, _ options: LabOptions, heeding heeded: Set<String> = [],
        _ body: @escaping @Sendable (RunnerAddress) async throws -> Value
    ) async throws -> Value {
        if let address = target.address {
            try options.requireNoShaping(
                but: heeded, because: "\(target.given) names a runner that is there: leave that out")
            return try await body(address)
        }
        let settings = try options.settings()
        try settings.folder.prepare()
        let ofLab = { @Sendable in RunnerAddress(lab: $0, folder: options.stateFolder) }
        if let running = settings.folder.runningLab() {
            try options.requireNoShaping(
                but: heeded,
                because:
                    "one runs in \(options.stateFolder) already: leave that out, stop that lab, or name another --state"
            )
            return try await body(ofLab(running))
        }
        return try await withOwnLab(settings) { try await body(ofLab($0)) }
    }

    /// Starts a lab as a child process whose standard input is a pipe: the lab ends when the pipe does, so also when
    /// this process is killed.
    private static func withOwnLab<Value: Sendable>(
        _ settings: LabSettings, _ body: @escaping @Sendable (LabFolder.State) async throws -> Value
    ) async throws -> Value {
        let ports = settings.ports
        var arguments = [
            "lab", "--until-input-ends", "--state", settings.stateFolder, "--experiments", settings.experimentsFolder,
            "--profiles", settings.profilesFolder, "--locust-profiles", settings.locust.profilesFolder,
            "--seed", String(settings.seed), "--ports",
            "\(ports.payment),\(ports.inventory),\(ports.notification),\(ports.runner)",
        ]
        if let database = settings.database { arguments += ["--database", database.url] }
        if settings.plain { arguments.append("--plain") }
        if !settings.limits { arguments.append("--no-limits") }
        if settings.allowTotal { arguments.append("--allow-total") }
        var platform = PlatformOptions()
        platform.processGroupID = 0
        let result = try await Subprocess.run(
            .path(FilePath(NamespaceLauncher.ownExecutable)), arguments: Arguments(arguments),
            platformOptions: platform, input: .inputWriter, output: .discarded,
            error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
        ) { execution in
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(
                    try await body(try await waitUntilUp(settings.folder, execution.processIdentifier.value)))
            } catch {
                outcome = .failure(error)
            }
            try await execution.standardInputWriter.finish()
            return outcome
        }
        return try result.closureResult.get()
    }

    private static func waitUntilUp(_ folder: LabFolder, _ pid: Int32) async throws -> LabFolder.State {
        let deadline = ContinuousClock.now + startTime
        while ContinuousClock.now < deadline {
            if let state = folder.runningLab(), state.pid == pid { return state }
            guard kill(pid, 0) == 0 else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LabError("the lab did not start; see \(folder.logs.path)")
    }
}
