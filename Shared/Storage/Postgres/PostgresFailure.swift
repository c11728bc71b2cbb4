#if Postgres
/// How a statement, or the transaction around it, can fail.
enum PostgresFailure: Error {
    /// The server said no, and the transaction is over.
    case refused(PostgresRefusal)
    /// The connection is gone, or was never there. The text is libpq's, which names host and user but no password.
    case lost(String)
    /// The deadline has passed. The statement was cancelled and its connection given up.
    case late
    /// The connection went while it committed: nobody knows whether the transaction is stored.
    case unknown
}

/// The server's own words about a statement, without the values that it may repeat elsewhere (its `DETAIL`).
struct PostgresRefusal: Sendable, Equatable {
    /// Five characters; PostgreSQL's documentation, appendix A.
    let sqlState: String
    let message: String
    var table = ""
    var column = ""
    var constraint = ""
    /// What the store was doing: the first words of the statement.
    var context = ""
}

extension PostgresFailure {
    /// What a failed transaction may hope for. Whatever is repeated is known not to be stored.
    enum Remedy {
        /// It met another transaction, which has ended meanwhile.
        case again
        /// As ``again``, a few times only: where a row was inserted that another transaction inserted first, the
        /// second try sees that row. What is refused on every try is no meeting but a duplicate.
        case lookAgain
        /// As ``again``, on another connection.
        case reconnect
        case none
    }

    var remedy: Remedy {
        switch self {
        case .lost: .reconnect
        case .late, .unknown: .none
        case .refused(let refusal): refusal.remedy
        }
    }
}

extension PostgresRefusal {
    fileprivate var remedy: PostgresFailure.Remedy {
        switch sqlState {
        // serialization_failure, deadlock_detected
        case "40001", "40P01": .again
        // unique_violation
        case "23505": .lookAgain
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout; connection exceptions
        case "57P01", "57P02", "57P03", "25P03": .reconnect
        case _ where sqlState.hasPrefix("08"): .reconnect
        // A prepared statement that fits the schema no more, after a newer version has migrated it, or is not there.
        case "0A000", "26000": .reconnect
        default: .none
        }
    }

    /// The error that callers see. What only the catalogue knows, the names of a constraint's columns and the text of
    /// a check, is asked for with ``constraintQuery``.
    ///
    /// - Parameter description: the answer to that question; nil when the constraint is gone, as one is that was made
    ///   in the transaction that failed.
    func storeError(_ description: String?) -> StoreError {
        switch sqlState {
        case "23505": .notUnique(constraint: description ?? "\(table).\(constraint)")
        case "23514": .constraintViolated("CHECK constraint failed: \(description ?? constraint)")
        case "23502": .constraintViolated("NOT NULL constraint failed: \(table).\(column)")
        case "23503": .constraintViolated("FOREIGN KEY constraint failed")
        case _ where sqlState.hasPrefix("23"): .constraintViolated(message)
        // query_canceled, by the server's own limit; lock_not_available
        case "57014", "55P03": .busy
        default: .failed("\(context): PostgreSQL error \(sqlState): \(message)")
        }
    }

    /// The columns of a unique index as `table.column[, table.column]`, or what a check says, as SQLite names them.
    var constraintQuery: String? {
        switch sqlState {
        case "23505":
            """
            SELECT string_agg(t.relname || '.' || a.attname, ', ' ORDER BY k.place) AS description
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
            CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
            WHERE c.relname = $1 AND t.relname = $2 AND c.relnamespace = current_schema()::regnamespace
            """
        case "23514":
            """
            SELECT pg_get_expr(c.conbin, c.conrelid, true) AS description
            FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
            WHERE c.conname = $1 AND t.relname = $2 AND c.connamespace = current_schema()::regnamespace
            """
        default: nil
        }
    }
}
#endif
