import Foundation
import Gateway
import Shared

/// `POST /payment/process`, validated:
/// `{amount, currency="USD", product_id, quantity=1, card_number? | payment_method?, recipient?}`.
struct PaymentOrder: Decodable, Sendable {
    let amount: Money
    let productID: String
    let quantity: Int
    let instrument: PaymentInstrument
    let recipient: String?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let amount = fields.money("amount", currency: Self.currency(fields))
        let product = fields.identifier("product_id")
        let quantity = fields.integer("quantity", in: 1...1_000_000, default: 1)
        let instrument = Self.instrument(fields)
        let recipient = fields.optionalText("recipient")
        (self.amount, productID, self.quantity, self.instrument, self.recipient) =
            try fields.require(amount, product, quantity, instrument, recipient)
    }

    /// The request in one canonical text: `5` and `"5.00"` are the same amount. It is kept, so two cards of one brand that
    /// end alike are the same card: whatever would tell them apart lets one who has the store try out all numbers, which
    /// brand, ending and check digit leave few enough of.
    var canonicalText: String {
        let card = instrument.isNamed ? "\(instrument.brand.rawValue) \(instrument.lastFour)" : nil
        return canonicalJSON([
            "amount": .string(amount.text), "currency": .string(amount.currency.code),
            "product_id": .string(productID), "quantity": .integer(Int64(quantity)),
            "card": card.map(JSONValue.string) ?? .null, "recipient": recipient.map(JSONValue.string) ?? .null,
        ])
    }

    private static func currency(_ fields: FieldReader) -> Currency? {
        guard let code = fields.text("currency", default: Currency.usd.code) else { return nil }
        guard let currency = Currency(code: code) else {
            fields.reject("currency", "must be a currency code of ISO 4217 in capitals, such as USD")
            return nil
        }
        return currency
    }

    /// No message repeats what was sent: it might be a card number in the wrong field.
    private static func instrument(_ fields: FieldReader) -> PaymentInstrument? {
        switch (fields.contains("card_number"), fields.contains("payment_method")) {
        case (false, false):
            return .unnamed
        case (true, true):
            fields.reject("payment_method", "must not stand beside card_number")
        case (true, false):
            guard let number = fields.text("card_number", maxLength: 64, mayBeCard: true) else { return nil }
            if let card = Card(number: number), card.isValid { return PaymentInstrument(card) }
            fields.reject("card_number", "is not a valid card number")
        case (false, true):
            guard let token = fields.text("payment_method") else { return nil }
            if let card = TestCard(paymentMethod: token) { return .test(card) }
            fields.reject("payment_method", "is not a known token: use pm_card_visa")
        }
        return nil
    }
}

extension PaymentInstrument {
    fileprivate var isNamed: Bool {
        if case .unnamed = self { return false }
        return true
    }
}

/// `POST /payment/refund`: `{payment_id, amount?}`.
struct RefundRequest: Decodable, Sendable {
    let paymentID: String
    /// A decimal number as its text. Whether it is an amount depends on the payment's currency.
    let amountText: String?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let payment = fields.identifier("payment_id")
        let amount: String?? = fields.contains("amount") ? fields.decimalText("amount").map(Optional.some) : .some(nil)
        (paymentID, amountText) = try fields.require(payment, amount)
    }

    func canonicalText(_ amount: Money?) -> String {
        canonicalJSON([
            "payment_id": .string(paymentID), "amount": amount.map { .string($0.text) } ?? .null,
        ])
    }
}

/// `POST /payment/validate`: `{card_number}`.
struct ValidateRequest: Decodable, Sendable {
    /// Nil where the text cannot be a card number at all.
    let card: Card?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let number = try fields.require(fields.text("card_number", allowEmpty: true, mayBeCard: true))
        card = Card(number: number)
    }
}

/// `POST /payment/chain`: `{product_id="1"}`.
struct ChainRequest: Decodable, Sendable {
    let productID: String

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        productID = try fields.require(fields.identifier("product_id", default: "1"))
    }
}

struct StatusAnswer: Encodable {
    let paymentID: String
    let status: String
    let lastUpdate: UnixTime
    let amount: Decimal
    let currency: String
    let refundedAmount: Decimal
    let declineCode: DeclineCode?

    init(_ payment: Payment, updatedAt: UnixTime) {
        paymentID = payment.id
        status = payment.status.rawValue
        lastUpdate = updatedAt
        amount = payment.amount.decimal
        currency = payment.amount.currency.code
        refundedAmount = payment.refunded.decimal
        declineCode = payment.declineCode
    }

    enum CodingKeys: String, CodingKey {
        case status, amount, currency
        case paymentID = "payment_id"
        case lastUpdate = "last_update"
        case refundedAmount = "refunded_amount"
        case declineCode = "decline_code"
    }
}

struct RefundAnswer: Encodable {
    let refundID: String
    let originalPaymentID: String
    let amount: Decimal
    let status = "refunded"
    let timestamp: UnixTime

    init(_ refund: Refund) {
        refundID = refund.id
        originalPaymentID = refund.paymentID
        amount = refund.amount.decimal
        timestamp = refund.createdAt
    }

    enum CodingKeys: String, CodingKey {
        case amount, status, timestamp
        case refundID = "refund_id"
        case originalPaymentID = "original_payment_id"
    }
}

struct ValidateAnswer: Encodable {
    let valid: Bool
    let cardType: Card.Brand
    let maskedNumber: String
    let timestamp = UnixTime.now

    init(_ card: Card?) {
        valid = card?.isValid ?? false
        cardType = card?.brand ?? .unknown
        maskedNumber = card?.masked ?? "****"
    }

    enum CodingKeys: String, CodingKey {
        case valid, timestamp
        case cardType = "card_type"
        case maskedNumber = "masked_number"
    }
}
