#if Postgres
import CPostgres
import Foundation

/// One connection to a server. Every wait has a deadline: libpq is told never to block, and `poll` waits in its place.
///
/// ```
///   send --> flush --poll--> consume --poll--> results
///                      '--deadline--> cancel at the server --> the connection is given up
/// ```
///
/// After a deadline the connection is never used again, although the server has mostly cancelled the statement: a
/// cancellation that comes late would end the statement after it. A new connection costs a few milliseconds.
///
/// Confined to one thread.
final class PostgresLink {
    private let connection: OpaquePointer
    private let cancelTimeout: Duration
    /// True once it cannot be used any more.
    private(set) var isBroken = false

    /// Connects and logs in.
    init(
        _ parameters: [(keyword: String, value: String)], cancelTimeout: Duration,
        until deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) {
        self.cancelTimeout = cancelTimeout
        let started = Self.withCStrings(parameters.map(\.keyword)) { keywords in
            Self.withCStrings(parameters.map(\.value)) { PQconnectStartParams(keywords, $0, 0) }
        }
        guard let started else { throw .lost("libpq has no memory for a connection") }
        connection = started
        // libpq would write notices to standard error.
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
        var step = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard step != PGRES_POLLING_FAILED else { throw .lost(message) }
            do throws(PostgresFailure) {
                try wait(for: step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            } catch {
                throw .lost("the server did not answer in time")
            }
            step = PQconnectPoll(connection)
        }
        guard PQsetnonblocking(connection, 1) == 0 else { throw .lost(message) }
    }

    deinit { PQfinish(connection) }

    /// False also when the server has ended it while nobody looked.
    var isUsable: Bool { !isBroken && PQstatus(connection) == CONNECTION_OK }

    /// Whether a transaction is open in which statements can still run.
    var isInTransaction: Bool { PQtransactionStatus(connection) == PQTRANS_INTRANS }

    /// Runs statements that take no parameters, separated by semicolons, and returns what came of the last.
    @discardableResult
    func run(_ sql: String, until deadline: ContinuousClock.Instant) throws(PostgresFailure) -> PostgresResult {
        try answer(to: PQsendQuery(connection, sql), until: deadline)
    }

    func prepare(
        _ name: String, _ sql: String, types: [Oid], until deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) {
        _ = try answer(to: PQsendPrepare(connection, name, sql, CInt(types.count), types), until: deadline)
    }

    func run(
        prepared name: String, _ parameters: PostgresParameters, until deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> PostgresResult {
        let sent = parameters.withPointers {
            PQsendQueryPrepared(connection, name, CInt(parameters.types.count), $0, $1, $2, 0)
        }
        return try answer(to: sent, until: deadline)
    }

    func run(
        _ sql: String, _ parameters: PostgresParameters, until deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> PostgresResult {
        let sent = parameters.withPointers {
            PQsendQueryParams(connection, sql, CInt(parameters.types.count), parameters.types, $0, $1, $2, 0)
        }
        return try answer(to: sent, until: deadline)
    }

    /// Commits.
    ///
    /// - Throws: ``PostgresFailure/unknown`` when the answer is lost, ``PostgresFailure/lost(_:)`` when the connection was
    ///   gone before, and what the server refused.
    func commit(until deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        try hearFarewell()
        let result: PostgresResult
        do throws(PostgresFailure) { result = try run("COMMIT", until: deadline) } catch {
            switch error {
            case .lost, .unknown: throw .unknown
            case .refused(let refusal): throw refusal.endsConnection ? .unknown : error
            case .late: result = try lateCommit()
            }
        }
        // A transaction in which a statement failed is rolled back by COMMIT, without an error.
        guard result.command == "COMMIT" else {
            throw .refused(PostgresRefusal(sqlState: "25P02", message: "the transaction was rolled back"))
        }
    }

    /// Finds out whether the server has hung up while it waited, so that it can never hear of what is sent next.
    private func hearFarewell() throws(PostgresFailure) {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        while poll(&descriptor, 1, 0) > 0 {
            guard PQconsumeInput(connection) == 1 else { throw broken() }
        }
    }

    private var lateResult: PostgresResult?

    /// The server may have committed in the moment in which it was asked to cancel.
    private func lateCommit() throws(PostgresFailure) -> PostgresResult {
        guard let result = lateResult else { throw .unknown }
        if let refusal = result.refusal { throw refusal.endsConnection ? .unknown : .late }
        return result
    }

    private func answer(
        to sent: CInt, until deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> PostgresResult {
        guard sent == 1 else { throw broken() }
        let result: PostgresResult
        do throws(PostgresFailure) { result = try lastResult(until: deadline) } catch {
            guard case .late = error else { throw error }
            cancel()
            throw .late
        }
        guard let refusal = result.refusal else { return result }
        if refusal.endsConnection { isBroken = true }
        throw .refused(refusal)
    }

    /// Asks the server to stop, so that its locks are free when this returns, and gives the connection up.
    private func cancel() {
        isBroken = true
        guard let handle = PQgetCancel(connection) else { return }
        // `PQcancel` blocks, at worst until the TCP time limits of the connection.
        let request = CancelRequest(handle)
        Thread.detachNewThread { request.send() }
        lateResult = try? lastResult(until: .now + cancelTimeout)
    }

    private func lastResult(until deadline: ContinuousClock.Instant) throws(PostgresFailure) -> PostgresResult {
        var last: PostgresResult?
        try flush(until: deadline)
        while true {
            while PQisBusy(connection) == 1 {
                try wait(for: POLLIN, until: deadline)
                guard PQconsumeInput(connection) == 1 else { throw broken() }
            }
            guard let next = PQgetResult(connection) else { break }
            let result = PostgresResult(next)
            guard !result.isCopy else {
                isBroken = true
                throw .lost("COPY is not for stores")
            }
            // An error ends the statements after it, and comes last; libpq's own, for a lost connection, follows it.
            if last?.refusal == nil { last = result }
        }
        guard let last else { throw broken() }
        if PQstatus(connection) == CONNECTION_BAD, last.refusal?.sqlState.isEmpty != false { throw broken() }
        return last
    }

    private func flush(until deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        while true {
            let left = PQflush(connection)
            guard left != 0 else { return }
            guard left == 1 else { throw broken() }
            try wait(for: POLLIN | POLLOUT, until: deadline)
            guard PQconsumeInput(connection) == 1 else { throw broken() }
        }
    }

    private func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw .late }
            let milliseconds = min(left / .milliseconds(1), 60_000).rounded(.up)
            let ready = poll(&descriptor, 1, CInt(milliseconds))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw broken() }
        }
    }

    private func broken() -> PostgresFailure {
        isBroken = true
        return .lost(message)
    }

    /// libpq's last error, on one line.
    private var message: String {
        String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    /// Calls `body` with a list of C strings that ends with a null.
    private static func withCStrings<Value>(
        _ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Value
    ) -> Value {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { UnsafePointer($0) } + [nil])
    }
}

/// One wish to cancel what a connection does, which libpq lets any thread send.
private final class CancelRequest: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    func send() {
        var reason = [CChar](repeating: 0, count: 256)
        // Whether it was heard, the connection itself tells.
        _ = PQcancel(handle, &reason, CInt(reason.count))
    }
}

extension PostgresRefusal {
    /// The server said this and hung up.
    var endsConnection: Bool { ["57P01", "57P02", "57P03", "25P03"].contains(sqlState) || sqlState.hasPrefix("08") }
}
#endif
