import Gateway
import Shared

/// A bug that payment systems have. Each is put into the real service from outside, at its database or at its gateway,
/// so that no switch for bugs stands in the code that people run.
enum Defect: String, Sendable, CaseIterable, Codable {
    /// An Idempotency-Key is neither kept nor looked up.
    case idempotencyIgnored
    /// What was answered is on no disk yet, and gone when the process dies.
    case acknowledgedBeforeCommit
    /// A refund has another name on every try, so the gateway gives it on every try.
    case refundGivenTwice
    /// `Int(19.99 * 100)` is 1998.
    case centsByFloatingPoint
    /// A payment that ends without money keeps its stock.
    case compensationSkipped
    /// The outbox is written after the transaction that makes its messages true.
    case outboxOutsideTransaction
    /// What the gateway does not answer is charged once more, under another name.
    case reconcilerChargesAgain

    /// What a statement of the service becomes; nil when it is never carried out.
    func changed(_ statement: SQLStatement) -> SQLStatement? {
        switch self {
        case .idempotencyIgnored where statement.sql.contains("WHERE idempotency_key"):
            return nil
        case .idempotencyIgnored where statement.sql.contains("INSERT INTO payment ("):
            // The key and the text of its request.
            return statement.replacing([9, 10], with: .null)
        case .compensationSkipped where statement.isOutboxInsert && statement.parameters[1] == .text("release"):
            return nil
        default:
            return statement
        }
    }
}

/// One statement with its values.
struct SQLStatement: Sendable {
    let sql: String
    let parameters: [SQLValue]

    var isOutboxInsert: Bool { sql.contains("INSERT INTO outbox") }

    func replacing(_ positions: [Int], with value: SQLValue) -> SQLStatement {
        var parameters = parameters
        for position in positions { parameters[position] = value }
        return SQLStatement(sql: sql, parameters: parameters)
    }
}
