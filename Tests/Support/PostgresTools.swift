#if Postgres
import Foundation
import Shared

/// PostgreSQL's programs, as Debian lays them down, and the user that may run the server.
struct PostgresTools: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    private let folder: String
    /// Nil when the tests run as an ordinary user themselves.
    private let serverUser: String?

    /// - Throws: ``Failure`` with the remedy when there is no server.
    init() throws {
        let base = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).compactMap(Int.init)
        let folders = versions.sorted(by: >).map { "\(base)/\($0)/bin" } + ["/usr/local/bin", "/usr/bin"]
        let found = folders.first { folder in
            ["initdb", "postgres", "psql"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
        guard let found else {
            throw Failure("there is no PostgreSQL server to test with: apt-get install postgresql")
        }
        folder = found
        serverUser = geteuid() == 0 ? (getpwnam("postgres") != nil ? "postgres" : "nobody") : nil
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func asServerUser(_ command: [String]) -> [String] {
        guard let serverUser else { return command }
        return ["setpriv", "--reuid=\(serverUser)", "--regid=\(group)", "--clear-groups", "--"] + command
    }

    private var group: String { serverUser == "nobody" ? "nogroup" : serverUser ?? "" }

    func giveToServerUser(_ folder: URL) async throws {
        guard let serverUser else { return }
        try await run("/bin/chown", ["-R", "\(serverUser):\(group)", folder.path])
    }

    func runAsServerUser(_ command: [String]) async throws {
        let all = asServerUser(command)
        try await run("/usr/bin/env", all)
    }

    /// Runs a program to its end and returns its output.
    ///
    /// - Throws: ``Failure`` with what it said when its exit code is not 0.
    @discardableResult
    func run(_ program: String, _ arguments: [String], in folder: URL? = nil) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder ?? URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        let (output, error) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, error)
        // A thread of its own, for reading blocks.
        let (text, reason) = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<(String, String), any Error>) in
            do { try process.run() } catch { return continuation.resume(throwing: error) }
            Thread.detachNewThread {
                // Errors are few enough for a pipe.
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                let reason = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                continuation.resume(returning: (text, reason))
            }
        }
        guard process.terminationStatus == 0 else { throw Failure("\(program): \(reason)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// `ca.crt`, `server.crt` and `server.key` for 127.0.0.1, and `other.crt` of another authority.
    func makeCertificates(in folder: URL) async throws {
        func openssl(_ arguments: String) async throws {
            try await run("/usr/bin/env", ["openssl"] + arguments.split(separator: " ").map(String.init), in: folder)
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in ["ca", "other"] {
            try await openssl("req -x509 \(key) -keyout \(name).key -out \(name).crt -days 2 -subj /CN=\(name)")
        }
        try await openssl("req \(key) -keyout server.key -out server.csr -subj /CN=server")
        try Data("subjectAltName=IP:127.0.0.1\n".utf8).write(to: folder.appending(path: "names"))
        try await openssl(
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: folder.appending(path: "server.key").path)
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure("no free port: \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
#endif
