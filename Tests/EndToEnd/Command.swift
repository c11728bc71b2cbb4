import Foundation
import Subprocess
import SystemPackage

/// One of the four executables, run to its end as a script would run it.
struct Command: Sendable {
    /// How a command ended, and what it said.
    struct Ended: Sendable {
        let status: TerminationStatus
        let output: String
        let error: String

        /// What stands on standard error, line by line.
        var complaints: [Substring] { error.split(separator: "\n") }
    }

    let executable: String
    var environment: [String: String] = [:]

    static let runner = Command(executable: "scenario-runner")

    func callAsFunction(_ arguments: String...) async throws -> Ended { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Ended {
        let variables = environment.map { (Environment.Key(stringLiteral: $0), $1 as String?) }
        let result = try await Subprocess.run(
            .path(FilePath(LabProcess.executables.appendingPathComponent(executable).path)),
            arguments: Arguments(arguments),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: variables)),
            workingDirectory: FilePath(LabProcess.repository.path), input: .none,
            output: .string(limit: 4 * 1024 * 1024), error: .string(limit: 1024 * 1024))
        return Ended(
            status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
    }
}

/// A port of loopback that a test holds, so that nobody else can.
struct TakenPort: ~Copyable {
    struct NoPort: Error {}

    let number: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        number = Int(UInt16(bigEndian: address.sin_port))
        guard isBound else {
            close(descriptor)
            throw NoPort()
        }
    }

    deinit { close(descriptor) }
}

/// Runs `body` with the path of a folder that is not there yet and is removed afterwards.
func withStateFolder(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
}
