import ArgumentParser
import Foundation
import Shared
import Subprocess
import SystemPackage
import Testing

@testable import Sandbox
@testable import ScenarioRunner

/// A lab whose runner stands still at one step of a fault until it is killed.
///
/// ```
///   test --(this program again: KilledLabTests)--> outer: OuterLab --> inner: LabRuntime within FaultHook
///     ^----- the steps so far, one a line ------------------------------'  stands still at the one asked for
///     '----- SIGKILL --> outer | inner
/// ```
///
/// It is the real lab in all but the program that its first two processes run.
struct KilledLab: Codable, Sendable {
    /// Its presence says "you are the lab".
    static let environmentKey = "KILLED_LAB"
    private static let longest = Duration.seconds(120)

    private(set) var settings: LabSettings
    /// From 0.
    let step: Int
    private var isInside = false

    private var stepsFile: String { settings.stateFolder + "/steps" }

    // MARK: The test's side

    init(folder: URL, step: Int, plain: Bool) throws {
        let experiments = folder.appendingPathComponent("experiments")
        try FileManager.default.createDirectory(at: experiments, withIntermediateDirectories: true)
        try Data(FaultLife.manifests.utf8).write(to: experiments.appendingPathComponent("faults.yaml"))
        settings = try LabSettings(
            stateFolder: folder.path, experimentsFolder: experiments.path,
            ports: .init(payment: 0, inventory: 0, notification: 0, runner: 0), plain: plain, limits: true,
            allowTotal: true, seed: 5, cooldownSeconds: 0)
        self.step = step
    }

    /// Runs it until `body` returns or throws; what `body` has not ended then is killed.
    ///
    /// - Returns: how the outer process ended.
    func run(_ body: @Sendable @escaping (_ outer: Int32) async throws -> Void) async throws -> TerminationStatus {
        var options = PlatformOptions()
        options.teardownSequence = []
        let result = try await Subprocess.run(
            .path(FilePath(NamespaceLauncher.ownExecutable)), arguments: Arguments(Self.arguments),
            environment: .inherit.updating([Environment.Key(stringLiteral: Self.environmentKey): try encoded()]),
            workingDirectory: FilePath(LabProcess.repository.path), platformOptions: options, input: .none,
            output: .discarded, error: .discarded
        ) { execution in
            do {
                try await body(execution.processIdentifier.value)
            } catch {
                kill(execution.processIdentifier.value, SIGKILL)
                throw error
            }
        }
        return result.terminationStatus
    }

    /// The steps that were reached so far.
    var steps: [String] {
        ((try? String(contentsOfFile: stepsFile, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    // MARK: The lab's side

    static var mine: KilledLab? {
        ProcessInfo.processInfo.environment[environmentKey].flatMap {
            try? JSONDecoder().decode(KilledLab.self, from: Data($0.utf8))
        }
    }

    func live() async throws {
        let gate = Gate(file: stepsFile, last: step)
        try await FaultHook.$reached.withValue({ await gate.reached($0) }) {
            guard !isInside else { return try await OuterLab.runInside(settings) }
            var own = settings
            own.outerPID = getpid()
            try await OuterLab(settings: own) { settings in
                var inner = self
                (inner.settings, inner.isInside) = (settings, true)
                setenv(Self.environmentKey, try inner.encoded(), 1)
                return Self.arguments
            }.run()
        }
    }

    private static let arguments = ["--testing-library", "swift-testing", "--filter", "KilledLabTests"]

    private func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private actor Gate {
        let file: String
        let last: Int
        private var count = 0

        init(file: String, last: Int) {
            self.file = file
            self.last = last
        }

        func reached(_ step: FaultStep) async {
            let isLast = count >= last
            count += 1
            let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            let line = Array("\(step.rawValue)\n".utf8)
            _ = write(descriptor, line, line.count)
            close(descriptor)
            // In a task of its own: a run that is cancelled stands still too.
            if isLast { await Task { try? await Task.sleep(for: KilledLab.longest) }.value }
        }
    }
}

@Suite("Killed lab", .enabled(if: KilledLab.mine != nil, "runs in a process of its own, by KillSweepTests"))
struct KilledLabTests {
    @Test func live() async throws {
        do {
            try await KilledLab.mine?.live()
        } catch let code as ExitCode {
            exit(code.rawValue)
        }
    }
}
