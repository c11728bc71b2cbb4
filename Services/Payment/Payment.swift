import Shared

/// One payment and where it stands.
///
/// ```
///             charging              approved
///   pending -----------> processing ---------> completed --refund--> partially_refunded --refund--> refunded
///      |                  |  '- declined -> declined '------------- refund of all ----------------------^
///      '----- failed -----'---- failed ---> failed
/// ```
struct Payment: Sendable, Equatable {
    enum Status: String, Sendable {
        case pending, processing, completed, declined, failed, refunded
        case partiallyRefunded = "partially_refunded"
    }

    enum Event: Sendable, Equatable {
        /// Stock is reserved, and the gateway is asked next: from here on money may have moved.
        case charging
        case approved
        case declined(DeclineCode)
        /// Nothing was charged.
        case failed
        /// Minor units of the payment's currency go back to the customer.
        case refunded(minorUnits: Int64)
    }

    enum Action: Sendable, Equatable {
        case save
        /// The event does not fit the state; nothing has changed.
        case refuse
    }

    /// `PAY-...`.
    let id: String
    let amount: Money
    private(set) var status: Status
    private(set) var declineCode: DeclineCode?
    private(set) var refundedMinorUnits: Int64

    init(
        id: String, amount: Money, status: Status = .pending, declineCode: DeclineCode? = nil,
        refundedMinorUnits: Int64 = 0
    ) {
        self.id = id
        self.amount = amount
        self.status = status
        self.declineCode = declineCode
        self.refundedMinorUnits = refundedMinorUnits
    }

    var isRefundable: Bool { status == .completed || status == .partiallyRefunded }

    /// What can still be refunded.
    var refundable: Money {
        Money(minorUnits: isRefundable ? amount.minorUnits - refundedMinorUnits : 0, currency: amount.currency)
    }

    var refunded: Money { Money(minorUnits: refundedMinorUnits, currency: amount.currency) }

    mutating func event(_ event: Event) -> Action {
        switch (status, event) {
        case (.pending, .charging):
            status = .processing
        case (.processing, .approved):
            status = .completed
        case (.processing, .declined(let code)):
            status = .declined
            declineCode = code
        case (.pending, .failed), (.processing, .failed):
            status = .failed
        case (.completed, .refunded(let minorUnits)), (.partiallyRefunded, .refunded(let minorUnits)):
            guard minorUnits > 0, minorUnits <= refundable.minorUnits else { return .refuse }
            refundedMinorUnits += minorUnits
            status = refundedMinorUnits == amount.minorUnits ? .refunded : .partiallyRefunded
        default:
            return .refuse
        }
        return .save
    }
}

/// Money that went back.
struct Refund: Sendable, Equatable {
    /// `REF-...`.
    let id: String
    let paymentID: String
    let amount: Money
    let createdAt: UnixTime
}
