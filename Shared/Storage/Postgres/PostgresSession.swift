#if Postgres
import CPostgres
import Foundation

/// A connection that comes back: opened when it is needed, dropped when it breaks, with what it remembers.
///
/// Confined to one thread.
final class PostgresSession {
    struct StatementKey: Hashable {
        let sql: String
        /// The same text with a null in another place is another statement.
        let types: [Oid]
    }

    /// More than any service has. What comes after them is planned each time.
    static let maximumPrepared = 256

    private let address: PostgresAddress
    private let schema: String
    private let configuration: PostgresConfiguration
    private var link: PostgresLink?
    /// The statements that the connection knows, with their names there.
    var prepared: [StatementKey: String] = [:]

    /// - Parameter schema: the tables' schema, a plain name in lower case.
    init(address: PostgresAddress, schema: String, configuration: PostgresConfiguration) {
        self.address = address
        self.schema = schema
        self.configuration = configuration
    }

    /// The connection, which is opened where there is none.
    func connected(until deadline: ContinuousClock.Instant) throws(PostgresFailure) -> PostgresLink {
        if let link, link.isUsable { return link }
        close()
        let limit = min(deadline, .now + configuration.connectTimeout)
        let link = try PostgresLink(
            try address.parameters(), cancelTimeout: configuration.cancelTimeout, until: limit)
        try link.run(settings, until: limit)
        self.link = link
        return link
    }

    func close() {
        link = nil
        prepared = [:]
    }

    /// What was acknowledged is on the server's disk, bytes come in the form that is read here, and the server ends by
    /// itself what a replica leaves open that stands still or cannot say that it gives up.
    private var settings: String {
        """
        SET search_path TO "\(schema)"; SET synchronous_commit TO on; SET bytea_output TO hex;
        SET standard_conforming_strings TO on;
        SET statement_timeout TO \(Int(configuration.transactionTimeout / .milliseconds(1)));
        SET idle_in_transaction_session_timeout TO \(Int(configuration.stillstandTimeout / .milliseconds(1)))
        """
    }

    /// Runs a job in a transaction of its own, once.
    ///
    /// - Returns: what tells the job's caller, when a write is durable.
    /// - Throws: what the body threw, or ``PostgresFailure``: but for ``PostgresFailure/unknown`` nothing is stored.
    func transact(_ job: StoreJob, until deadline: ContinuousClock.Instant) throws -> StoreJob.Acknowledge {
        let link = try connected(until: deadline)
        try link.run(
            job.isRead
                ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            until: deadline)
        let connection = PostgresConnection(session: self, link: link, deadline: deadline)
        let acknowledge: StoreJob.Acknowledge
        do {
            acknowledge = try job.run(connection)
            // The body may have kept the failure to itself.
            if let failure = connection.failure { throw failure }
        } catch {
            rollBack(link)
            // What ended the transaction decides whether it is repeated, whatever the body made of it.
            guard let failure = connection.failure, failure.remedy != .none else { throw error }
            throw failure
        }
        do { try link.commit(until: deadline) } catch {
            rollBack(link)
            // A read has its rows, which no commit makes truer.
            guard job.isRead else { throw error }
        }
        return acknowledge
    }

    /// What the catalogue knows about a refusal; nil when it cannot be asked.
    func describe(_ refusal: PostgresRefusal) -> String? {
        guard let question = refusal.constraintQuery, let link, link.isUsable,
            let names = try? PostgresParameters([.text(refusal.constraint), .text(refusal.table)]),
            let result = try? link.run(question, names, until: .now + configuration.connectTimeout),
            let text = try? result.rows().first?.optionalText("description")
        else { return nil }
        return text
    }

    private func rollBack(_ link: PostgresLink) {
        guard link.isUsable, (try? link.run("ROLLBACK", until: .now + configuration.cancelTimeout)) != nil else {
            return close()
        }
    }
}
#endif
