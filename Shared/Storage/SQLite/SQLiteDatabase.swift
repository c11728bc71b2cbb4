import Dispatch
import Foundation

/// A ``Database`` in one SQLite file, which several processes on one machine may share.
///
/// ```
///   read()  --> WorkQueue --> a few reading connections, each on the snapshot of its transaction
///   write() --> WorkQueue --> one thread: group commits, in turn with the other replicas --> fsync
/// ```
///
/// The file is in WAL mode, so readers never wait for the writer, with `synchronous = FULL`: a write that has returned
/// survives a power cut. Writes that come together share one transaction, so they share its fsync.
///
/// A closure runs once. After it has started it completes, even if its caller is cancelled. Constraints are checked for
/// each closure by itself; only a conflict clause that rolls back (`ON CONFLICT ROLLBACK` in the schema) and a failing
/// disk undo the writes that share the transaction, and then all of them get the error.
public final class SQLiteDatabase: Database {
    private let writer: SQLiteWriter
    private let pool: SQLitePool
    private let reads: WorkQueue
    private let closeTimeout: Duration

    private init(writer: SQLiteWriter, pool: SQLitePool, configuration: SQLiteConfiguration) {
        self.writer = writer
        self.pool = pool
        closeTimeout = configuration.closeTimeout
        let threads = DispatchQueue(label: "sqlite-readers", attributes: .concurrent)
        reads = WorkQueue(
            capacity: configuration.maximumWaiting, servers: configuration.readers,
            waitTimeout: configuration.waitTimeout,
            startServer: { queue in threads.async { Self.serveReads(queue, pool) } })
    }

    /// Ends the threads of a store that was dropped and not closed.
    deinit {
        reads.close()
        writer.queue.close()
    }

    /// Opens the file at `path`, which is created with the folders that lead to it, and applies the migrations that it
    /// lacks: each once and in order, whoever else opens it at the same time.
    ///
    /// - Throws: ``StoreError``; ``StoreError/busy`` when others hold the file longer than the open timeout.
    public static func open(
        path: String, migrations: [Migration], configuration: SQLiteConfiguration = .init()
    ) async throws -> SQLiteDatabase {
        guard !path.isEmpty, path != ":memory:" else {
            throw StoreError.failed("replicas share a file: give the database a path")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw StoreError.failed("the folder \(folder.path) cannot be made: make it or give another path")
        }
        let (writer, pool) = try await SQLiteWriter.start(
            path: path, migrations: migrations, configuration: configuration)
        return SQLiteDatabase(writer: writer, pool: pool, configuration: configuration)
    }

    /// What the writer has done since the store was opened.
    public var counters: WriteCounters { writer.counters }

    /// Writes whose body has not started.
    public var waitingWrites: Int { writer.queue.count }

    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await writer.queue.submit(body)
    }

    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await reads.submit(body)
    }

    /// Ends the store when what waits and what runs is done, or after the close timeout: a thread that waits for the
    /// turn of a stopped replica then ends when that one goes on or dies.
    public func close() async {
        reads.close()
        await reads.wait(atMost: closeTimeout)
        writer.queue.close()
        await writer.queue.wait(atMost: closeTimeout)
    }

    /// The value of a setting on the connection that writes, as SQLite reports it.
    func writerPragma(_ name: String) throws -> SQLValue { try pool.writerPragma(name) }

    private static func serveReads(_ queue: WorkQueue, _ pool: SQLitePool) {
        while true {
            switch queue.step() {
            case .work:
                for job in queue.take(upTo: 1) {
                    switch pool.read(job) {
                    case .success(let acknowledge): acknowledge()
                    case .failure(let error): job.fail(error)
                    }
                }
            case .rest: return
            case .finish: return queue.finished.open()
            }
        }
    }
}
