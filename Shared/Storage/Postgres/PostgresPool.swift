#if Postgres
import Dispatch
import Foundation
import Logging
import Synchronization

/// The threads that talk to the server, each with a connection of its own.
///
/// ```
///   read(), write() --> WorkQueue --> thread: connected? --> BEGIN, body, COMMIT --> caller goes on
///                                       ^        '--no: pause; who waits too long is told that the store is busy
///                                       '--- met another transaction: pause, once more from BEGIN
/// ```
///
/// Threads, and not sockets that many share: a body is synchronous, so it holds a thread for as long as its transaction
/// lasts, and there are no more threads than connections. None of them is of the cooperative pool.
final class PostgresPool: Sendable {
    let queue: WorkQueue
    private let wake: DispatchSemaphore
    private let configuration: PostgresConfiguration
    private let isOver = Atomic<Bool>(false)
    private let threads: Atomic<Int>
    private let watch: PostgresWatch

    /// - Parameter session: makes a session for each thread, which connects when it has work.
    init(
        name: String, configuration: PostgresConfiguration, session: @escaping @Sendable () -> PostgresSession
    ) {
        let wake = DispatchSemaphore(value: 0)
        self.wake = wake
        self.configuration = configuration
        threads = Atomic(configuration.connections)
        watch = PostgresWatch(store: name)
        queue = WorkQueue(
            capacity: configuration.maximumWaiting, servers: configuration.connections,
            waitTimeout: configuration.waitTimeout, startServer: { _ in wake.signal() })
        for number in 0..<configuration.connections {
            let thread = Thread { self.serve(session()) }
            thread.name = "\(name)-\(number)"
            thread.start()
        }
    }

    private func serve(_ session: PostgresSession) {
        var pauses = PostgresAttempts(policy: configuration.retries)
        wake.wait()
        while !isOver.load(ordering: .acquiring) {
            switch queue.step() {
            case .work: work(session, &pauses)
            case .rest: wake.wait()
            case .finish:
                isOver.store(true, ordering: .releasing)
                // All others rest.
                for _ in 0..<configuration.connections { wake.signal() }
            }
        }
        session.close()
        if threads.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { queue.finished.open() }
    }

    /// Takes a job once there is a connection for it: until then it waits in the line, where waits end.
    private func work(_ session: PostgresSession, _ pauses: inout PostgresAttempts) {
        var generator = SystemRandomNumberGenerator()
        do {
            _ = try session.connected(until: .now + configuration.connectTimeout)
            pauses = PostgresAttempts(policy: configuration.retries)
            watch.isReached()
        } catch {
            watch.isNotReached(error)
            let action = pauses.event(error, left: configuration.openTimeout, using: &generator)
            guard case .again(let pause, _) = action else {
                pauses = PostgresAttempts(policy: configuration.retries)
                return Self.sleep(configuration.retries.longestDelay)
            }
            return Self.sleep(pause)
        }
        for job in queue.take(upTo: 1) { run(job, session, &generator) }
    }

    private func run(
        _ job: StoreJob, _ session: PostgresSession, _ generator: inout some RandomNumberGenerator
    ) {
        let deadline = ContinuousClock.now + configuration.transactionTimeout
        var attempts = PostgresAttempts(policy: configuration.retries)
        while true {
            do {
                return try session.transact(job, until: deadline)()
            } catch let failure as PostgresFailure {
                if case .lost = failure { watch.isNotReached(failure) }
                switch attempts.event(failure, left: deadline - .now, using: &generator) {
                case .giveUp: return job.fail(session.storeError(failure))
                case .again(let pause, let reconnecting):
                    if reconnecting { session.close() }
                    Self.sleep(pause)
                }
            } catch {
                return job.fail(error)
            }
        }
    }

    private static func sleep(_ duration: Duration) { Thread.sleep(forTimeInterval: duration / .seconds(1)) }
}

extension PostgresSession {
    /// What a failure means to those who use the store.
    func storeError(_ failure: PostgresFailure) -> StoreError {
        switch failure {
        case .refused(let refusal): refusal.storeError(describe(refusal))
        case .lost(let reason): .failed("no connection to the database: \(reason)")
        case .late: .busy
        case .unknown:
            .failed("the connection to the database was lost in a COMMIT: whether it is stored is not known")
        }
    }
}

/// Says once that a server is away, and once that it is back.
private final class PostgresWatch: Sendable {
    private let logger: Logger
    private let isAway = Mutex(false)

    init(store: String) {
        var logger = Logger(label: "storage")
        logger[metadataKey: "store"] = "\(store)"
        self.logger = logger
    }

    func isNotReached(_ failure: PostgresFailure) {
        guard case .lost(let reason) = failure else { return }
        if change(to: true) {
            logger.warning("the database is away: calls wait for it", metadata: ["reason": "\(reason)"])
        }
    }

    func isReached() {
        if change(to: false) { logger.notice("the database is back") }
    }

    private func change(to value: Bool) -> Bool {
        isAway.withLock { isAway in
            defer { isAway = value }
            return isAway != value
        }
    }
}
#endif
