import Foundation
import HTTPTypes
import Shared
import Testing

struct FieldReaderTests {
    @Test func readsEveryKindOfField() throws {
        let fields = try reader(
            #"{"text":"a\tb","id":"x","number_id":7,"count":3,"amount":19.99,"amount_text":"0.1","empty":""}"#)
        #expect(fields.text("text") == "a\tb")
        #expect(fields.text("empty", allowEmpty: true) == "")
        #expect(fields.text("absent", default: "info") == "info")
        #expect(fields.text("absent", default: "", allowEmpty: false) == "")
        #expect(fields.optionalText("text") == "a\tb")
        #expect(fields.optionalText("absent") == .some(nil))
        #expect(fields.identifier("id") == "x")
        #expect(fields.identifier("number_id") == "7")
        #expect(fields.identifier("absent", default: "1") == "1")
        #expect(fields.integer("count", in: 1...3) == 3)
        #expect(fields.integer("absent", in: 1...3, default: 1) == 1)
        #expect(fields.decimalText("amount") == "19.99")
        #expect(fields.decimalText("amount_text") == "0.1")
        #expect(fields.money("amount", currency: .usd)?.minorUnits == 1999)
        #expect(fields.contains("empty") && !fields.contains("absent"))
        #expect(messages(fields).isEmpty)
    }

    @Test func aMissingFieldWithoutADefaultIsRequired() throws {
        let fields = try reader("{}")
        #expect(fields.text("a") == nil)
        #expect(fields.identifier("b") == nil)
        #expect(fields.integer("c", in: 0...1) == nil)
        #expect(fields.decimalText("d") == nil)
        #expect(fields.money("e", currency: .usd) == nil)
        #expect(messages(fields) == ["a", "b", "c", "d", "e"].map { "\($0): is required" })
    }

    @Test func nullIsNotTheDefault() throws {
        let fields = try reader(#"{"a":null}"#)
        #expect(fields.text("a", default: "x") == nil)
        #expect(fields.optionalText("a") == .none)
        #expect(fields.identifier("a", default: "1") == nil)
        #expect(fields.integer("a", in: 0...1, default: 1) == nil)
        #expect(fields.decimalText("a") == nil)
        #expect(fields.money("a", currency: .usd) == nil)
        #expect(messages(fields) == Array(repeating: "a: must not be null", count: 6))
    }

    @Test(arguments: ["true", "[1]", "{}", "{\"a\":1}"])
    func anotherTypeIsNoValue(json: String) throws {
        let fields = try reader(#"{"a":\#(json)}"#)
        #expect(fields.text("a", default: "x") == nil)
        #expect(fields.optionalText("a") == .none)
        #expect(fields.identifier("a", default: "1") == nil)
        #expect(fields.integer("a", in: 0...1, default: 1) == nil)
        #expect(fields.decimalText("a") == nil)
        #expect(
            messages(fields) == [
                "a: must be a string", "a: must be a string", "a: must be a string or an integer",
                "a: must be an integer from 0 to 1", "a: must be a decimal number",
            ])
    }

    @Test(arguments: ["1.5", "0", "1001", "1e400", "99999999999999999999", "\"1\"", "-1", "1e-1"])
    func isNoIntegerFrom1To1000(json: String) throws {
        let fields = try reader(#"{"quantity":\#(json)}"#)
        #expect(fields.integer("quantity", in: 1...1000) == nil)
        #expect(messages(fields) == ["quantity: must be an integer from 1 to 1000"])
    }

    @Test(arguments: ["1.5", "1e400", "99999999999999999999"])
    func isNoIdentifier(json: String) throws {
        let fields = try reader(#"{"product_id":\#(json)}"#)
        #expect(fields.identifier("product_id") == nil)
        #expect(messages(fields) == ["product_id: must be a string or an integer"])
    }

    @Test(
        arguments: [
            ("100", 10_000), ("19.99", 1999), ("0.1", 10), ("1e2", 10_000), ("1.0e-2", 1), ("81.90", 8190),
            ("\"19.99\"", 1999),
            ("0.30", 30), ("9999999999.99", 999_999_999_999),
        ] as [(String, Int64)])
    func amountsAreExact(json: String, minorUnits: Int64) throws {
        let fields = try reader(#"{"amount":\#(json)}"#)
        #expect(fields.money("amount", currency: .usd)?.minorUnits == minorUnits)
        #expect(messages(fields).isEmpty)
    }

    @Test(arguments: [
        ("0", "must be more than 0"), ("-1", "must be more than 0"), ("-0", "must be more than 0"),
        ("-0.0", "must be more than 0"), ("\"\"", "must be a decimal number"), ("\"1e2\"", "must be a decimal number"),
        ("\"NaN\"", "must be a decimal number"), ("1e400", "must be a decimal number"),
        ("1e100", "must be at most 999999999999 minor units"), ("19.999", "must have at most 2 decimals in USD"),
        ("1e-100", "must have at most 2 decimals in USD"), ("true", "must be a decimal number"),
        ("0.000000000000000000000000000000000000000000000000001", "must have at most 2 decimals in USD"),
    ])
    func amountsThatNobodyCanPay(json: String, message: String) throws {
        let fields = try reader(#"{"amount":\#(json)}"#)
        #expect(fields.money("amount", currency: .usd) == nil)
        #expect(messages(fields) == ["amount: \(message)"])
    }

    /// A JSON number keeps 38 digits, more than any amount has; whoever writes more means no other amount.
    @Test func digitsBeyondThe38thAreRounded() throws {
        let fields = try reader(#"{"amount":19.990000000000000000000000000000000000000000001}"#)
        #expect(fields.money("amount", currency: .usd)?.minorUnits == 1999)
    }

    @Test func everyCentSurvivesAJSONNumber() throws {
        let members = (1...99_999).map { cents in
            "\"\(cents)\":\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
        }
        let fields = try reader("{\(members.joined(separator: ","))}")
        let wrong = (1...99_999).filter { fields.money("\($0)", currency: .usd)?.minorUnits != Int64($0) }
        #expect(wrong.isEmpty)
    }

    @Test func lengthsAreLimitedInCodePoints() throws {
        let marks = "e" + String(repeating: "\u{301}", count: 300)
        let fields = try reader(#"{"long":"\#(String(repeating: "a", count: 256))","one":"\#(marks)","ok":"ééé"}"#)
        #expect(fields.text("long") == nil)
        #expect(fields.text("one") == nil)
        #expect(fields.identifier("one") == nil)
        #expect(fields.text("ok", maxLength: 3) == "ééé")
        #expect(
            messages(fields) == [
                "long: must have at most 255 characters", "one: must have at most 255 characters",
                "one: must have at most 64 characters",
            ])
    }

    @Test func controlCharactersAreRefused() throws {
        let fields = try reader(#"{"nul":"a\u0000b","bell":"\u0007","del":"\u007f","c1":"\u0085","lines":"a\nb\tc"}"#)
        for name in ["nul", "bell", "del", "c1"] { #expect(fields.text(name) == nil) }
        #expect(fields.text("lines") == "a\nb\tc")
        #expect(fields.identifier("nul") == nil)
        #expect(fields.identifier("lines") == nil)
        let names = ["nul", "bell", "del", "c1", "nul", "lines"]
        #expect(messages(fields) == names.map { "\($0): must not contain control characters" })
    }

    @Test func emptyTextsAreRefused() throws {
        let fields = try reader(#"{"a":"","b":""}"#)
        #expect(fields.text("a") == nil)
        #expect(fields.identifier("b") == nil)
        #expect(messages(fields) == ["a: must not be empty", "b: must not be empty"])
    }

    @Test func allMistakesAreToldAtOnce() throws {
        let fields = try reader(#"{"amount":"x","quantity":0}"#)
        let amount = fields.money("amount", currency: .usd)
        let product = fields.identifier("product_id")
        let quantity = fields.integer("quantity", in: 1...9)
        fields.reject("currency", "is unknown")
        let problem = try #require(
            throws: Problem.self, performing: { _ = try fields.require(amount, product, quantity) })
        #expect(problem.status == .unprocessableContent)
        #expect(
            problem.detail == """
                amount: must be a decimal number; product_id: is required; quantity: must be an integer from 1 to 9; \
                currency: is unknown
                """)
        #expect(
            problem.members["errors"]
                == .array(
                    [
                        ("amount", "must be a decimal number"), ("product_id", "is required"),
                        ("quantity", "must be an integer from 1 to 9"), ("currency", "is unknown"),
                    ].map { .object(["field": .string($0.0), "message": .string($0.1)]) }))
    }

    @Test func requireGivesTheValues() throws {
        let fields = try reader(#"{"a":"x","n":4}"#)
        let (text, number, note) = try fields.require(
            fields.text("a"), fields.integer("n", in: 0...9), fields.optionalText("note"))
        #expect(text == "x" && number == 4 && note == nil)
    }

    @Test(arguments: ["[]", "null", "\"x\"", "1"])
    func theBodyMustBeAnObject(json: String) throws {
        let problem = try #require(throws: Problem.self) { _ = try reader(json) }
        #expect(problem == Problem(.unprocessableContent, "The body must be a JSON object."))
    }

    private func reader(_ json: String) throws -> FieldReader {
        try JSONDecoder().decode(Opened.self, from: Data(json.utf8)).fields
    }

    private func messages(_ fields: FieldReader) -> [String] {
        do {
            _ = try fields.require(1)
            return []
        } catch let problem as Problem {
            return problem.detail.components(separatedBy: "; ")
        } catch {
            return ["\(error)"]
        }
    }

    private struct Opened: Decodable {
        let fields: FieldReader
        init(from decoder: any Decoder) throws { fields = try FieldReader(decoder) }
    }
}
