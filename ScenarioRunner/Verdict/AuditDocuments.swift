import Shared

// The pages of the three audits, as the services tell them. A page that cannot be read is an error, never an empty page.

/// One page of `GET /payment/audit`: the books of the payment service, and beside them those of the gateway.
public struct PaymentAuditPage: Decodable, Sendable, Equatable {
    public let payments: [AuditedPayment]
    /// Charges of the gateway for payments that the payment service does not know; on the last pages only.
    public let chargesWithoutPayment: [AuditedCharge]
    /// The cursor of the next page; nil on the last.
    public let next: String?

    enum CodingKeys: String, CodingKey {
        case payments, next
        case chargesWithoutPayment = "charges_without_payment"
    }

    init(payments: [AuditedPayment], chargesWithoutPayment: [AuditedCharge] = [], next: String? = nil) {
        (self.payments, self.chargesWithoutPayment, self.next) = (payments, chargesWithoutPayment, next)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        payments = try container.decode([AuditedPayment].self, forKey: .payments)
        chargesWithoutPayment =
            try container.decodeIfPresent([AuditedCharge].self, forKey: .chargesWithoutPayment) ?? []
        next = try container.decodeIfPresent(String.self, forKey: .next)
    }
}

/// Everything that the books say about one payment. Amounts are minor units of the currency.
public struct AuditedPayment: Decodable, Sendable, Equatable {
    public enum Status: String, Decodable, Sendable {
        case pending, processing, completed, declined, failed, refunded
        case partiallyRefunded = "partially_refunded"
    }

    /// One side of a double entry.
    public struct LedgerEntry: Decodable, Sendable, Equatable {
        public enum Kind: String, Decodable, Sendable { case capture, refund }
        public enum Account: String, Decodable, Sendable {
            case gatewayReceivable = "gateway_receivable"
            case sales
        }

        public var transactionID: String
        public var kind: Kind
        public var account: Account
        /// Signed; the entries of a transaction sum to zero in each currency.
        public var amountMinor: Int64
        public var currency: String

        enum CodingKeys: String, CodingKey {
            case kind, account, currency
            case transactionID = "transaction_id"
            case amountMinor = "amount_minor"
        }
    }

    public struct Refund: Decodable, Sendable, Equatable {
        /// Pending while nobody knows whether the gateway has given it.
        public enum State: String, Decodable, Sendable { case pending, done }

        public var refundID: String
        public var amountMinor: Int64
        public var state: State
        public var createdAt: UnixTime

        enum CodingKeys: String, CodingKey {
            case state
            case refundID = "refund_id"
            case amountMinor = "amount_minor"
            case createdAt = "created_at"
        }
    }

    /// A message that was written down together with the payment's state, to be sent afterwards.
    public struct OutboxEntry: Decodable, Sendable, Equatable {
        public enum State: String, Decodable, Sendable { case waiting, done }

        /// `confirm` and `release` are for the inventory; `notification`.
        public var kind: String
        public var key: String
        public var state: State
    }

    public var paymentID: String
    public var status: Status
    public var amountMinor: Int64
    public var currency: String
    public var refundedMinor: Int64
    public var idempotencyKey: String?
    public var declineCode: String?
    public var createdAt: UnixTime
    public var ledger: [LedgerEntry]
    /// From the gateway's own books.
    public var charges: [AuditedCharge]
    public var refunds: [Refund]
    public var outbox: [OutboxEntry]

    enum CodingKeys: String, CodingKey {
        case status, currency, ledger, charges, refunds, outbox
        case paymentID = "payment_id"
        case amountMinor = "amount_minor"
        case refundedMinor = "refunded_minor"
        case idempotencyKey = "idempotency_key"
        case declineCode = "decline_code"
        case createdAt = "created_at"
    }

    /// Whether nothing will happen to it any more unless somebody asks for a refund.
    public var isSettled: Bool {
        status != .pending && status != .processing && outbox.allSatisfy { $0.state == .done }
            && refunds.allSatisfy { $0.state == .done }
    }

    /// Whether something that was asked for until `start` has no end yet.
    public func isOpen(since start: UnixTime) -> Bool {
        guard createdAt <= start, !isSettled else { return false }
        return status == .pending || status == .processing || outbox.contains { $0.state == .waiting }
            || hasPendingRefund(since: start)
    }

    func hasPendingRefund(since start: UnixTime?) -> Bool {
        refunds.contains { refund in refund.state == .pending && start.map { refund.createdAt <= $0 } ?? true }
    }
}

/// A charge as the gateway has it. Amounts are minor units of the currency.
public struct AuditedCharge: Decodable, Sendable, Equatable {
    public enum State: String, Decodable, Sendable { case approved, declined }

    public var chargeID: String
    public var paymentID: String
    public var idempotencyKey: String?
    public var amountMinor: Int64
    public var currency: String
    public var state: State
    public var refundedMinor: Int64

    enum CodingKeys: String, CodingKey {
        case currency, state
        case chargeID = "charge_id"
        case paymentID = "payment_id"
        case idempotencyKey = "idempotency_key"
        case amountMinor = "amount_minor"
        case refundedMinor = "refunded_minor"
    }

    /// Whether money of the customer's is still taken by it.
    var isStanding: Bool { state == .approved && refundedMinor < amountMinor }
}

/// One page of the inventory's `GET /audit`.
public struct InventoryAuditPage: Decodable, Sendable, Equatable {
    /// A product's stock; `onHand` is without what is reserved.
    public struct Total: Decodable, Sendable, Equatable {
        public var productID: String
        public var initial: Int64
        public var restocked: Int64
        public var onHand: Int64
        public var reserved: Int64
        public var sold: Int64

        enum CodingKeys: String, CodingKey {
            case initial, restocked, reserved, sold
            case productID = "product_id"
            case onHand = "on_hand"
        }
    }

    public struct Reservation: Decodable, Sendable, Equatable {
        public enum State: String, Decodable, Sendable { case reserved, confirmed, released, expired }

        public var reservationID: String
        /// The id of the payment that it is for.
        public var key: String
        public var state: State

        enum CodingKeys: String, CodingKey {
            case key, state
            case reservationID = "reservation_id"
        }
    }

    /// On the first page only.
    public let totals: [Total]
    public let reservations: [Reservation]
    public let next: String?
}

/// One page of the notification service's `GET /audit`.
public struct NotificationAuditPage: Decodable, Sendable, Equatable {
    public struct Notification: Decodable, Sendable, Equatable {
        public var id: String
        public var key: String?
    }

    public let notifications: [Notification]
    public let next: String?
}
