#if Postgres
import Foundation
import Shared
import Synchronization

/// A PostgreSQL of the tests' own: Debian's, on a new cluster in a temporary folder, on a Unix socket and a free port of
/// loopback, with TLS by a certificate of its own.
///
/// ```
///   initdb --> postgres  <--SIGINT-- bash: waits for the end of its input, which this process holds
///                  '--SIGQUIT: crash(), then start() again        '--> removes the folder
/// ```
///
/// It runs as an ordinary user, for PostgreSQL refuses root. It ends with the process that started it, however that ends.
public final class PostgresServer: Sendable {
    /// The server that all tests of one process share. Each makes a database of its own.
    public static func shared() async throws -> PostgresServer { try await sharedServer.value }

    private static let sharedServer = Task { try await PostgresServer() }

    public static let user = "tester"
    public static let password = "open sesame"

    public let folder: URL
    public let port: Int
    private let tools: PostgresTools
    private let keeper = Mutex<Keeper?>(nil)
    private let databases = Atomic<Int>(0)

    /// Makes a cluster and starts it.
    public init() async throws {
        tools = try PostgresTools()
        // Short: the path of a Unix socket has 107 bytes at most.
        folder = FileManager.default.temporaryDirectory.appending(path: "pg-\(UUID().uuidString.prefix(8))")
        port = try PostgresTools.freePort()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await make()
        try await start()
    }

    /// The process that keeps the server, and what ends it.
    private struct Keeper {
        let pid: Int32
        let input: FileHandle
    }

    deinit { keeper.withLock { try? $0?.input.close() } }

    /// The certificate of the authority that signed the server's own.
    public var authority: String { folder.appending(path: "ca.crt").path }
    /// A certificate that signed nothing here.
    public var otherAuthority: String { folder.appending(path: "other.crt").path }

    private var log: URL { folder.appending(path: "log") }
    private var data: String { folder.appending(path: "data").path }

    /// A URL of a database over the Unix socket, which asks for no password.
    public func socketURL(_ database: String) -> String {
        "postgres:///\(database)?host=\(folder.path)&port=\(port)&user=\(Self.user)"
    }

    /// A URL of a database over TCP.
    ///
    /// - Parameter password: percent-encoded; nil for none.
    public func tcpURL(_ database: String, password: String?, port: Int? = nil, query: String = "") -> String {
        let login = password.map { "\(Self.user):\($0)" } ?? Self.user
        return "postgresql://\(login)@127.0.0.1:\(port ?? self.port)/\(database)\(query)"
    }

    /// Makes a database that nobody else has, and returns its name.
    public func newDatabase() async throws -> String {
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        try await psql("CREATE DATABASE \(name)")
        return name
    }

    /// A port of loopback on which nobody listens.
    public func freePort() throws -> Int { try PostgresTools.freePort() }

    /// Runs a statement as the superuser, and returns what it prints.
    @discardableResult
    public func psql(_ sql: String, in database: String = "postgres") async throws -> String {
        try await tools.run(
            tools.path("psql"), ["--no-psqlrc", "-qtA", "-v", "ON_ERROR_STOP=1", "-d", socketURL(database), "-c", sql])
    }

    /// All of a database as text.
    func dump(_ url: String) async throws -> String { try await tools.run(tools.path("pg_dump"), [url]) }

    // MARK: Life

    /// Starts the server, after ``crash()`` again, and returns when it takes connections.
    public func start() async throws {
        let settings = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(folder.path)",
            "max_connections=200", "ssl=on", "ssl_cert_file=\(folder.path)/server.crt",
            "ssl_key_file=\(folder.path)/server.key", "hba_file=\(folder.path)/hba.conf",
            "log_destination=stderr", "logging_collector=off",
        ]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments =
            ["-c", Self.keeping, "keeper", folder.path]
            + tools.asServerUser([tools.path("postgres"), "-D", data] + settings.flatMap { ["-c", $0] })
        // Close-on-exec: in the hands of a child of the tests the server would outlive them.
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw PostgresTools.Failure("no pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        process.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let logEnd = try FileHandle(forUpdating: log)
        try logEnd.seekToEnd()
        process.standardError = logEnd
        try process.run()
        let input = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        keeper.withLock { $0 = Keeper(pid: process.processIdentifier, input: input) }
        try await eventually("PostgreSQL takes connections") { (try? await psql("SELECT 1")) != nil }
    }

    /// How often it has come back from a crash, by its own log (the words of PostgreSQL's startup process in English).
    public func recoveryCount() throws -> Int {
        try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
            .count { $0.contains("automatic recovery in progress") }
    }

    /// How many sessions of others are open in a database now.
    public func sessionCount(in database: String) async throws -> Int {
        let count = try await psql(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = '\(database)' AND backend_type = 'client backend'
            """)
        return Int(count.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Ends the server as a power cut does: at once, without a checkpoint, connections dropped. Returns when it is gone.
    public func crash() async throws {
        let lines = try String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8).split(separator: "\n")
        guard let pid = lines.first.flatMap({ pid_t($0) }) else { throw PostgresTools.Failure("no postmaster.pid") }
        kill(pid, SIGQUIT)
        let keeperPID = keeper.withLock { $0?.pid ?? 0 }
        // Its input stays open until then: the end of it would remove the folder.
        // Foundation collects a child when everyone has let go of a socket, which others that start meanwhile inherit: so
        // one that waits to be collected is gone.
        try await eventually("PostgreSQL and its keeper are gone") {
            ![pid, keeperPID].contains(where: ProcessLife.isAlive)
        }
        keeper.withLock {
            try? $0?.input.close()
            $0 = nil
        }
    }

    /// Starts the server, and ends it when its input ends: with the process that started it at the latest. For bash,
    /// which unblocks the signal that tells of a child's end where this process had blocked it; dash would wait for ever.
    /// SIGTERM stays blocked: only SIGKILL ends the one that reads.
    private static let keeping = """
        folder=$1; shift
        exec 3<&0
        "$@" 3<&- </dev/null & server=$!
        { read -r line <&3; : >"$folder/ended"; kill -INT "$server"; } & watch=$!
        wait "$server"
        if [ -e "$folder/ended" ]; then rm -rf "$folder"; else kill -KILL "$watch"; fi
        """

    private func make() async throws {
        try await tools.makeCertificates(in: folder)
        let passwordFile = "\(folder.path)/password"
        try Data("\(Self.password)\n".utf8).write(to: URL(fileURLWithPath: passwordFile))
        // Nobody comes over TCP without the password, and by TLS where the client asks for it.
        let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        try Data(rules.utf8).write(to: folder.appending(path: "hba.conf"))
        try await tools.giveToServerUser(folder)
        let initdb = [tools.path("initdb"), "-D", data, "-U", Self.user, "-E", "UTF8", "--no-locale", "--no-sync"]
        try await tools.runAsServerUser(initdb + ["--auth=trust", "--pwfile=\(passwordFile)"])
    }
}
#endif
