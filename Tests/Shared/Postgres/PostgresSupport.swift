#if Postgres
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Shared

/// Opens a new store with the `item` table on the shared server and closes it after `body`.
func withPostgres<Value>(
    _ configuration: PostgresConfiguration = .changed(), url: String? = nil,
    _ body: (PostgresDatabase) async throws -> Value
) async throws -> Value {
    let address = if let url { url } else { try await PostgresServer.shared().socketURL("postgres") }
    let store = try await PostgresDatabase.open(
        url: address, schema: newSchema(), migrations: DatabaseKind.postgres.itemMigrations,
        configuration: configuration)
    let result: Result<Value, any Error>
    do { result = .success(try await body(store)) } catch { result = .failure(error) }
    await store.close()
    return try result.get()
}

extension PostgresConfiguration {
    /// As in production, with few connections, but for what a test changes.
    static func changed(_ change: (inout PostgresConfiguration) -> Void = { _ in }) -> PostgresConfiguration {
        var configuration = PostgresConfiguration()
        configuration.connections = 3
        change(&configuration)
        return configuration
    }
}

/// A number that several threads count up.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    @discardableResult
    func add(_ number: Int = 1) -> Int { count.add(number, ordering: .relaxed).newValue }

    func raise(to number: Int) { count.max(number, ordering: .relaxed) }
}

extension PostgresDatabase {
    /// A setting of the connection, as the server reports it.
    func setting(_ name: String, inWrite: Bool = true) async throws -> String {
        let body = { @Sendable (connection: any SQLConnection) in
            try connection.query("SELECT current_setting($1) AS value", [.text(name)])[0].text("value")
        }
        return inWrite ? try await write(body) : try await read(body)
    }
}

/// Stands between clients and a server, and once it is armed hangs up on the client that sends the next COMMIT: before the
/// server hears of it, or after.
final class CommitThief: Sendable {
    enum Moment: Sendable { case before, after }

    let port: Int
    private let listener: Int32
    private let serverPort: Int
    private let moment: Moment
    private let isArmed = Atomic<Bool>(false)
    private let descriptors = Mutex<[Int32]>([])

    init(serverPort: Int, _ moment: Moment) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        self.serverPort = serverPort
        self.moment = moment
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(isListening)
        Thread.detachNewThread { [self] in accept() }
    }

    deinit { for descriptor in descriptors.withLock({ $0 }) { close(descriptor) } }

    func arm() { isArmed.store(true, ordering: .releasing) }

    func stop() {
        for descriptor in descriptors.withLock({ $0 }) + [listener] { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func accept() {
        while true {
            let client = Foundation.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = connectToServer()
            descriptors.withLock { $0 += [client, server] }
            Thread.detachNewThread { [self] in passOn(from: client, to: server, stealing: true) }
            Thread.detachNewThread { [self] in passOn(from: server, to: client, stealing: false) }
        }
        close(listener)
    }

    private func connectToServer() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(serverPort).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        return descriptor
    }

    private func passOn(from source: Int32, to target: Int32, stealing: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            let isCommit = String(decoding: buffer[..<count], as: UTF8.self).contains("COMMIT\u{0}")
            if stealing, isCommit, isArmed.exchange(false, ordering: .acquiringAndReleasing) {
                // The client hears nothing from here on.
                shutdown(source, Int32(SHUT_RDWR))
                if moment == .before { break }
            }
            guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(target, Int32(SHUT_RDWR))
    }
}
#endif
