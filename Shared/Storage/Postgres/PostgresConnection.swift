#if Postgres
import CPostgres

/// What a closure given to ``PostgresDatabase`` sees: one statement at a time, in the transaction that the store began.
///
/// A statement that fails ends the transaction, whatever the closure makes of its error.
final class PostgresConnection: SQLConnection {
    private let session: PostgresSession
    private let link: PostgresLink
    private let deadline: ContinuousClock.Instant
    /// The first failure of a statement.
    private(set) var failure: PostgresFailure?

    init(session: PostgresSession, link: PostgresLink, deadline: ContinuousClock.Instant) {
        self.session = session
        self.link = link
        self.deadline = deadline
    }

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> Int { try run(sql, parameters).changedRows }

    func query(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] { try run(sql, parameters).rows() }

    private func run(_ sql: String, _ values: [SQLValue]) throws -> PostgresResult {
        let head = SQLHead(sql)
        try head.admit()
        if let failure { throw failure }
        let parameters = try PostgresParameters(values)
        do {
            let result = try send(sql, parameters, head)
            guard link.isInTransaction else {
                throw PostgresFailure.refused(
                    PostgresRefusal(sqlState: "25000", message: "it ended the transaction, which is the store's to do"))
            }
            return result
        } catch let error as PostgresFailure {
            let named = error.named(head.name)
            failure = named
            throw named
        }
    }

    private func send(_ sql: String, _ parameters: PostgresParameters, _ head: SQLHead) throws -> PostgresResult {
        let key = PostgresSession.StatementKey(sql: sql, types: parameters.types)
        if let name = session.prepared[key] { return try link.run(prepared: name, parameters, until: deadline) }
        try SQLPlaceholders(sql).check(count: parameters.types.count, head)
        guard session.prepared.count < PostgresSession.maximumPrepared else {
            return try link.run(sql, parameters, until: deadline)
        }
        let name = "s\(session.prepared.count)"
        try link.prepare(name, sql, types: parameters.types, until: deadline)
        session.prepared[key] = name
        return try link.run(prepared: name, parameters, until: deadline)
    }
}

extension PostgresFailure {
    fileprivate func named(_ context: String) -> PostgresFailure {
        guard case .refused(var refusal) = self else { return self }
        refusal.context = context
        return .refused(refusal)
    }
}
#endif
