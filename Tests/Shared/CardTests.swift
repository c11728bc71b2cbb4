import Foundation
import Shared
import Testing

struct CardTests {
    @Test(arguments: [
        ("4242424242424242", Card.Brand.visa), ("4222222222222", .visa), ("5555555555554444", .mastercard),
        ("2221000000000009", .mastercard), ("2720999999999996", .mastercard), ("378282246310005", .amex),
        ("341111111111111", .amex), ("6011111111111117", .discover), ("6500000000000002", .discover),
        ("30569309025904", .diners), ("36227206271667", .diners), ("3530111333300000", .jcb),
        ("6200000000000005", .unionpay), ("5018000000000009", .maestro), ("9999999999999995", .unknown),
    ])
    func brandOfAValidNumber(number: String, brand: Card.Brand) throws {
        let card = try #require(Card(number: number))
        #expect(card.brand == brand)
        #expect(card.isValid)
        #expect(card.lastFour == String(number.suffix(4)))
    }

    @Test(arguments: [
        ("2220999999999999", Card.Brand.unknown), ("2721000000000000", .unknown), ("5000000000000000", .maestro),
        ("5600000000000000", .maestro), ("6430000000000000", .unknown), ("6440000000000000", .discover),
        ("3527000000000000", .unknown), ("3528000000000000", .jcb), ("3589000000000000", .jcb),
        ("3590000000000000", .unknown), ("3060000000000000", .unknown), ("3090000000000000", .diners),
    ])
    func brandAtTheEdgesOfTheRanges(number: String, brand: Card.Brand) throws {
        #expect(try #require(Card(number: number)).brand == brand)
    }

    @Test func oneWrongDigitOrTwoSwappedOnesAreNoticed() throws {
        let digits = Array("4242424242424242")
        for index in digits.indices {
            for wrong in "0123456789" where wrong != digits[index] {
                var changed = digits
                changed[index] = wrong
                #expect(try !#require(Card(number: String(changed))).isValid)
            }
        }
        #expect(try !#require(Card(number: "2442424242424242")).isValid)
    }

    @Test(arguments: ["424242424242", "42424242424242", "55555555555544440", "3782822463100056"])
    func aWrongLengthForTheBrandIsInvalid(number: String) throws {
        #expect(try !#require(Card(number: number)).isValid)
    }

    @Test(arguments: [
        "", "4242", "42424242424", "42424242424242424242", "4242-4242-4242-424x", "４２４２４２４２４２４２４２４２",
        "4242\t424242424242", "-", "4242424242424242\n",
    ])
    func isNoCardNumber(text: String) { #expect(Card(number: text) == nil) }

    @Test func groupsMayBeSeparated() throws {
        for text in ["4242 4242 4242 4242", "4242-4242-4242-4242", " 4242424242424242 "] {
            #expect(try TestCard(#require(Card(number: text))) == .approved)
        }
    }

    @Test func noDescriptionShowsTheDigits() throws {
        let card = try #require(Card(number: "4000000000009979"))
        var dumped = ""
        dump(["card": card], to: &dumped)
        let texts = [
            "\(card)", String(describing: card), String(reflecting: card), "\([card])", "\(Optional(card) as Any)",
            String(reflecting: ["card": card]), dumped, "\(Mirror(reflecting: card).children.map(\.value))",
        ]
        for text in texts {
            #expect(!text.contains("400000"), "\(text)")
            #expect(text.contains("9979"), "\(text)")
        }
        #expect(card.masked == "****-****-****-9979")
        #expect((card as Any) as? any Encodable == nil)
    }

    @Test(arguments: [
        (TestCard.approved, DeclineCode?.none, "pm_card_visa"),
        (.genericDecline, .genericDecline, "pm_card_visa_chargeDeclined"),
        (.insufficientFunds, .insufficientFunds, "pm_card_visa_chargeDeclinedInsufficientFunds"),
        (.stolen, .stolenCard, "pm_card_visa_chargeDeclinedStolenCard"),
    ])
    func testCardsAndTheirTokens(card: TestCard, code: DeclineCode?, token: String) {
        #expect(TestCard(paymentMethod: token) == card)
        #expect(card.declineCode == code)
    }

    @Test(arguments: TestCard.allCases)
    func testCardsAreValidVisaCards(expected: TestCard) throws {
        let card = try #require(Card(number: expected.rawValue))
        #expect(TestCard(card) == expected)
        #expect(card.isValid)
        #expect(card.brand == .visa)
        #expect(card.lastFour == expected.lastFour)
    }

    @Test func otherCardsAndTokensAreNoTestCards() throws {
        #expect(TestCard(try #require(Card(number: "4111111111111111"))) == nil)
        #expect(TestCard(try #require(Card(number: "4242424242424"))) == nil)
        #expect(TestCard(paymentMethod: "pm_card_mastercard") == nil)
        #expect(TestCard.expired.declineCode == .expiredCard)
    }

    @Test func aThiefLearnsNothing() {
        for code in [DeclineCode.stolenCard, .lostCard, .fraudulent] {
            #expect(code.customerMessage == DeclineCode.genericDecline.customerMessage)
        }
    }
}
