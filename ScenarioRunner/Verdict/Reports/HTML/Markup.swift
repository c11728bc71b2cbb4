/// HTML, SVG or XML that is safe by construction: what is written in the source stands as it is, and every value that is
/// put into it is escaped, for text and for attributes in double quotes alike.
///
/// ```swift
///   let line: Markup = "<p title=\"\(run.name)\">\(run.name)</p>"   // a name cannot leave its place
///   let list: Markup = "<ul>\(lines)</ul>"                           // markup within markup stays markup
/// ```
public struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
    public private(set) var text: String

    public init(stringLiteral value: String) { text = value }

    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// - Parameter trusted: is not escaped; never something that was read or measured.
    init(trusted: String) { text = trusted }

    static let none: Markup = ""

    static func + (left: Markup, right: Markup) -> Markup { Markup(trusted: left.text + right.text) }

    static func += (left: inout Markup, right: Markup) { left.text += right.text }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        public mutating func appendInterpolation(_ markup: Markup) { text += markup.text }

        /// Nothing where it is nil.
        public mutating func appendInterpolation(_ markup: Markup?) { text += markup?.text ?? "" }

        public mutating func appendInterpolation(_ parts: some Sequence<Markup>) {
            for part in parts { text += part.text }
        }

        public mutating func appendInterpolation(_ value: String) { text += Markup.escaped(value) }

        public mutating func appendInterpolation(_ value: Int) { text += String(value) }

        /// A coordinate: two decimals are a hundredth of a pixel.
        public mutating func appendInterpolation(_ value: Double) { text += Markup.coordinate(value) }
    }

    /// Without the characters that mean something to HTML and XML, and without those that XML 1.0 (section 2.2) cannot
    /// hold at all.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// What is no number has no place in a drawing.
    static func coordinate(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let hundredths = (value * 100).rounded()
        guard abs(hundredths) < 1e15, hundredths != 0 else { return "0" }
        let (whole, rest) = (Int(abs(hundredths)) / 100, Int(abs(hundredths)) % 100)
        let sign = hundredths < 0 ? "-" : ""
        if rest == 0 { return "\(sign)\(whole)" }
        return rest % 10 == 0 ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
