import Foundation
import HTTPTypes

/// Reads the fields of a JSON object and collects what is wrong with them, so that a client learns of all its
/// mistakes at once.
///
/// ```
///   Decoder --(one call a field)--> values or nil, and errors --(require)--> values, or 422 with every error
/// ```
///
/// Use it in `init(from:)` of a request:
/// ```
///   let fields = try FieldReader(decoder)
///   let product = fields.identifier("product_id")
///   let quantity = fields.integer("quantity", in: 1...1000, default: 1)
///   (productID, self.quantity) = try fields.require(product, quantity)
/// ```
/// `null` where a value is expected is an error, not the default; so is a value of another type.
public final class FieldReader {
    private let container: KeyedDecodingContainer<Key>
    private var errors: [FieldError] = []

    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Throws: ``Problem`` 422 when the document is no JSON object.
    public init(_ decoder: any Decoder) throws {
        do {
            container = try decoder.container(keyedBy: Key.self)
        } catch {
            throw Problem(.unprocessableContent, "The body must be a JSON object.")
        }
    }

    /// Notes a mistake that the caller found.
    public func reject(_ field: String, _ message: String) {
        errors.append(FieldError(field: field, message: message))
    }

    /// Text of at most `maxLength` characters (and at least one where `allowEmpty` is false), without control
    /// characters but tab and newline.
    ///
    /// - Parameter mayBeCard: whether a card number belongs there. Everywhere else it is a mistake: see ``CardNumbers``.
    public func text(
        _ name: String, default fallback: String? = nil, maxLength: Int = 255, allowEmpty: Bool = false,
        mayBeCard: Bool = false
    ) -> String? {
        guard let text = value(name, String.self, "must be a string", default: fallback) else { return nil }
        if text.isEmpty, !allowEmpty, text != fallback { return failed(name, "must not be empty") }
        return checked(text, name, maxLength: maxLength, controls: ["\t", "\n"], mayBeCard: mayBeCard)
    }

    /// A text that may be absent: nil then. Null and other types are errors all the same.
    public func optionalText(_ name: String, maxLength: Int = 255) -> String?? {
        guard container.contains(Key(name)) else { return .some(nil) }
        return text(name, maxLength: maxLength).map(Optional.some)
    }

    /// One text, or a list of at least one and at most 20 of them.
    public func textOrTexts(_ name: String, maxLength: Int = 255) -> [String]? {
        guard let texts = try? container.decode([String].self, forKey: Key(name)) else {
            return text(name, maxLength: maxLength).map { [$0] }
        }
        guard (1...20).contains(texts.count), !texts.contains("") else {
            return failed(name, "must be a string, or a list of 1 to 20 strings that are not empty")
        }
        let checked = texts.compactMap { self.checked($0, name, maxLength: maxLength, controls: ["\t", "\n"]) }
        return checked.count == texts.count ? checked : nil
    }

    /// An id: a string without control characters, or an integer, which becomes its digits.
    public func identifier(_ name: String, default fallback: String? = nil, maxLength: Int = 64) -> String? {
        if let number = try? container.decode(Int64.self, forKey: Key(name)) {
            return checked(String(number), name, maxLength: maxLength, controls: [])
        }
        guard let text = value(name, String.self, "must be a string or an integer", default: fallback) else {
            return nil
        }
        if text.isEmpty { return failed(name, "must not be empty") }
        return checked(text, name, maxLength: maxLength, controls: [])
    }

    /// A whole JSON number within a range.
    public func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int? = nil) -> Int? {
        let message = "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        guard let number = value(name, Int.self, message, default: fallback) else { return nil }
        return range.contains(number) ? number : failed(name, message)
    }

    /// A decimal number as its text, from a string or a JSON number (of which the first 38 digits count); see ``Money``.
    public func decimalText(_ name: String) -> String? {
        if let text = try? container.decode(String.self, forKey: Key(name)) { return text }
        guard let number = value(name, Decimal.self, "must be a decimal number", default: nil) else { return nil }
        return number.isFinite ? number.description : failed(name, "must be a decimal number")
    }

    /// An amount of money in a currency, more than 0, with no more decimals than the currency has.
    public func money(_ name: String, currency: Currency?) -> Money? {
        guard let text = decimalText(name), let currency else { return nil }
        do {
            return try Money(positive: text, currency: currency)
        } catch {
            return failed(name, error.message(in: currency))
        }
    }

    /// Whether the object has the field, of whatever value.
    public func contains(_ name: String) -> Bool { container.contains(Key(name)) }

    /// The values, once no field is wrong.
    ///
    /// - Throws: ``Problem`` 422 naming every wrong field.
    public func require<each Value>(_ values: repeat (each Value)?) throws -> (repeat each Value) {
        guard errors.isEmpty else { throw Problem.invalid(errors) }
        func unwrap<T>(_ value: T?) throws -> T {
            guard let value else { throw Problem(.unprocessableContent, "A required field is missing.") }
            return value
        }
        return (repeat try unwrap(each values))
    }

    private func value<T: Decodable>(_ name: String, _ type: T.Type, _ message: String, default fallback: T?) -> T? {
        let key = Key(name)
        guard container.contains(key) else { return fallback ?? failed(name, "is required") }
        if (try? container.decodeNil(forKey: key)) == true { return failed(name, "must not be null") }
        guard let value = try? container.decode(type, forKey: key) else { return failed(name, message) }
        return value
    }

    /// Counts code points, as `maxLength` of OpenAPI does: one grapheme may be kilobytes of combining marks.
    private func checked(
        _ text: String, _ name: String, maxLength: Int, controls: Set<Unicode.Scalar>, mayBeCard: Bool = false
    ) -> String? {
        if text.unicodeScalars.count > maxLength { return failed(name, "must have at most \(maxLength) characters") }
        if text.hasControlCharacters(but: controls) { return failed(name, "must not contain control characters") }
        let isHarmless = mayBeCard || !CardNumbers.areIn(text)
        return isHarmless ? text : failed(name, CardNumbers.refusal)
    }

    private func failed<T>(_ name: String, _ message: String) -> T? {
        reject(name, message)
        return nil
    }
}

extension String {
    /// Whether there are control characters (Unicode category Cc) other than the allowed ones.
    func hasControlCharacters(but allowed: Set<Unicode.Scalar> = []) -> Bool {
        unicodeScalars.contains { $0.properties.generalCategory == .control && !allowed.contains($0) }
    }
}

extension Money.ParseError {
    /// What a client is told of its amount.
    public func message(in currency: Currency) -> String {
        switch self {
        case .notANumber: "must be a decimal number"
        case .notPositive: "must be more than 0"
        case .tooLarge: "must be at most \(Money.maximumMinorUnits) minor units"
        case .tooManyDecimals(let allowed): "must have at most \(allowed) decimals in \(currency.code)"
        }
    }
}
