import Foundation
import Shared

/// What the body of a payment asks for, as the payment service reads it.
enum PaymentWish {
    private struct Body: Decodable {
        let amount: Money

        init(from decoder: any Decoder) throws {
            let fields = try FieldReader(decoder)
            let code = fields.text("currency", default: Currency.usd.code)
            amount = try fields.require(fields.money("amount", currency: code.flatMap(Currency.init(code:))))
        }
    }

    /// Nil where the body names no amount that can be paid.
    static func amount(_ body: [UInt8]) -> Money? {
        (try? JSONDecoder().decode(Body.self, from: Data(body)))?.amount
    }
}
