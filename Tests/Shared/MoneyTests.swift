import Foundation
import Shared
import TestSupport
import Testing

struct MoneyTests {
    @Test(arguments: [
        ("19.99", "USD", 1999), ("0.1", "USD", 10), ("0.10", "USD", 10), ("1", "USD", 100), ("+1.5", "USD", 150),
        ("007", "USD", 700), ("0.01", "USD", 1), ("9999999999.99", "USD", 999_999_999_999),
        ("5.00", "JPY", 5), ("5", "JPY", 5), ("999999999999", "JPY", 999_999_999_999),
        ("1.234", "BHD", 1234), ("1.2", "BHD", 1200), ("1.2340", "BHD", 1234), ("0.0001", "CLF", 1),
    ])
    func parses(text: String, code: String, minorUnits: Int64) throws {
        let currency = try #require(Currency(code: code))
        #expect(try Money(positive: text, currency: currency).minorUnits == minorUnits)
    }

    @Test(
        arguments: [
            ("", .notANumber), ("abc", .notANumber), ("1e2", .notANumber), (" 1", .notANumber), ("1 ", .notANumber),
            ("１", .notANumber), ("١", .notANumber), ("1,5", .notANumber), (".5", .notANumber), ("5.", .notANumber),
            (".", .notANumber), ("-", .notANumber), ("+-1", .notANumber), ("1.2.3", .notANumber), ("0x10", .notANumber),
            ("NaN", .notANumber), ("inf", .notANumber), ("1\u{301}", .notANumber), ("1\0", .notANumber),
            ("0", .notPositive), ("-0", .notPositive), ("0.00", .notPositive), ("-19.99", .notPositive),
            ("-99999999999999999999", .notPositive), ("0.001", .tooManyDecimals(allowed: 2)),
            ("19.999", .tooManyDecimals(allowed: 2)), ("10000000000.00", .tooLarge), ("999999999999.99", .tooLarge),
            ("99999999999999999999999999999999999999999", .tooLarge),
        ] as [(String, Money.ParseError)])
    func refuses(text: String, error: Money.ParseError) {
        #expect(throws: error) { try Money(positive: text, currency: .usd) }
    }

    @Test func decimalsBeyondTheCurrencysAreRefusedUnlessZero() throws {
        let yen = try #require(Currency(code: "JPY"))
        let dinar = try #require(Currency(code: "BHD"))
        #expect(throws: Money.ParseError.tooManyDecimals(allowed: 0)) { try Money(positive: "5.01", currency: yen) }
        #expect(throws: Money.ParseError.tooManyDecimals(allowed: 3)) { try Money(positive: "1.2345", currency: dinar) }
    }

    /// A text as long as a body may be has to be refused at once; it took time with the square of its length before.
    @Test func aVeryLongTextIsRefused() {
        let text = "1." + String(repeating: "0", count: 60_000)
        #expect(throws: Money.ParseError.notANumber) { try Money(positive: text, currency: .usd) }
    }

    @Test func everyAmountBelowAThousandKeepsItsCents() throws {
        for cents in 1...99_999 {
            let text = "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
            let money = try Money(positive: text, currency: .usd)
            guard money.minorUnits == cents, money.text == text else {
                Issue.record("\(text) became \(money.minorUnits) and \(money.text)")
                return
            }
        }
    }

    @Test(arguments: ["JPY", "USD", "BHD", "UYW"])
    func textAndDecimalRoundTrip(code: String) throws {
        let currency = try #require(Currency(code: code))
        var generator = SeededGenerator(seed: 20)
        for _ in 0..<5000 {
            let bound = Int64(1) << Int64.random(in: 1..<40, using: &generator)
            let minor = min(Money.maximumMinorUnits, Int64.random(in: 1...bound, using: &generator))
            let money = Money(minorUnits: minor, currency: currency)
            #expect(try Money(positive: money.text, currency: currency) == money)
            #expect(try Money(positive: money.decimal.description, currency: currency) == money)
        }
    }

    @Test func textShowsAllDecimalsAndTheSign() throws {
        let yen = try #require(Currency(code: "JPY"))
        #expect(Money(minorUnits: 1990, currency: .usd).text == "19.90")
        #expect(Money(minorUnits: 5, currency: .usd).text == "0.05")
        #expect(Money(minorUnits: 0, currency: .usd).text == "0.00")
        #expect(Money(minorUnits: -5, currency: .usd).text == "-0.05")
        #expect(Money(minorUnits: -1990, currency: .usd).text == "-19.90")
        #expect(Money(minorUnits: 5, currency: yen).text == "5")
        #expect(Money(minorUnits: .min, currency: .usd).text == "-92233720368547758.08")
        #expect(Money(minorUnits: .min, currency: .usd).decimal.description == "-92233720368547758.08")
    }

    @Test func jsonCarriesTheExactNumber() throws {
        let amounts: [Int64] = [1999, 10, 1, 30, 8190, 999_999_999_999, 12_300]
        let decimals = amounts.map { Money(minorUnits: $0, currency: .usd).decimal }
        let json = String(decoding: try JSONEncoder().encode(decimals), as: UTF8.self)
        #expect(json == "[19.99,0.1,0.01,0.3,81.9,9999999999.99,123]")
    }

    @Test func currenciesAreThoseOfTheList() {
        #expect(Currency(code: "USD") == .usd)
        #expect(Currency(code: "JPY")?.exponent == 0)
        #expect(Currency(code: "KWD")?.exponent == 3)
        #expect(Currency(code: "CLF")?.exponent == 4)
        for code in ["usd", "US", "USDX", "", "XXX", "XAU", "ABC", "ＵＳＤ"] { #expect(Currency(code: code) == nil) }
    }
}
