import Dispatch
import Foundation
import Synchronization

/// What the writer of a ``SQLiteDatabase`` has done since it was opened.
public struct WriteCounters: Sendable, Equatable {
    /// Transactions that made at least one write durable.
    public var commits = 0
    /// Writes that are durable.
    public var writes = 0
    /// Writes whose body or transaction failed.
    public var failures = 0
}

/// The thread that writes: it waits for its turn among the replicas, commits what has gathered, gives the turn up.
///
/// ```
///   write() --> WorkQueue --> turn --> BEGIN IMMEDIATE --> savepoint a job --> COMMIT --> turn up --> callers go on
/// ```
///
/// A thread of its own, because waiting for the turn and for the disk blocks. It needs no timer to gather writes: they
/// gather while the last batch is being made durable.
final class SQLiteWriter: Sendable {
    /// The thread lives as long as the queue is open.
    let queue: WorkQueue
    private let wake: DispatchSemaphore
    private let maximumBatch: Int
    private let counted = Mutex(WriteCounters())

    var counters: WriteCounters { counted.withLock { $0 } }

    private init(_ configuration: SQLiteConfiguration) {
        let wake = DispatchSemaphore(value: 0)
        self.wake = wake
        maximumBatch = configuration.maximumBatch
        queue = WorkQueue(
            capacity: configuration.maximumWaiting, servers: 1, waitTimeout: configuration.waitTimeout,
            startServer: { _ in wake.signal() })
    }

    /// Starts the thread, which opens the file when it has the turn.
    static func start(
        path: String, migrations: [Migration], configuration: SQLiteConfiguration
    ) async throws -> (writer: SQLiteWriter, pool: SQLitePool) {
        let writer = SQLiteWriter(configuration)
        let pool = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<SQLitePool, any Error>) in
            let opening = Opening(continuation, timeout: configuration.openTimeout)
            let thread = Thread {
                writer.run(opening) {
                    try SQLitePool(path: path, migrations: migrations, configuration: configuration)
                } turn: {
                    try FileTurn(path: path)
                }
            }
            thread.name = "sqlite-writer"
            thread.start()
        }
        return (writer, pool)
    }

    private func run(_ opening: Opening<SQLitePool>, open: () throws -> SQLitePool, turn: () throws -> FileTurn) {
        do {
            let turn = try turn()
            let pool = try turn.hold(open)
            // False when the opener has given up meanwhile.
            if opening.end(.success(pool)) { serve(pool, turn) }
            pool.close()
        } catch {
            _ = opening.end(.failure(error))
        }
        queue.finished.open()
    }

    private func serve(_ pool: SQLitePool, _ turn: FileTurn) {
        wake.wait()
        while true {
            switch queue.step() {
            case .work: commit(pool, turn)
            case .rest: wake.wait()
            case .finish: return
            }
        }
    }

    private func commit(_ pool: SQLitePool, _ turn: FileTurn) {
        do {
            let batch = try turn.hold { try pool.commitTogether { queue.take(upTo: maximumBatch) } }
            count(batch)
            for (job, outcome) in batch {
                switch outcome {
                case .success(let acknowledge): acknowledge()
                case .failure(let error): job.fail(error)
                }
            }
        } catch StoreError.busy {
            // A program that takes no turns has SQLite's lock: those who wait do so until their own deadlines.
        } catch {
            for job in queue.take(upTo: .max) { job.fail(error) }
        }
    }

    private func count(_ batch: [(job: StoreJob, outcome: SQLitePool.Outcome)]) {
        guard !batch.isEmpty else { return }
        let failures = batch.count { if case .failure = $0.outcome { true } else { false } }
        counted.withLock { counters in
            counters.failures += failures
            counters.writes += batch.count - failures
            if failures < batch.count { counters.commits += 1 }
        }
    }
}
