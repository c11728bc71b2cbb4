import Experiments
import Foundation
import Shared

extension JSONValue {
    /// A manifest's piece as the API takes it.
    init(_ tree: ManifestTree) {
        switch tree {
        case .text(let text): self = .string(text)
        case .plain(let text): self = Self.plain(text)
        case .list(let trees): self = .array(trees.map { JSONValue($0) })
        case .fields(let fields):
            self = .object(Dictionary(fields.map { ($0.name, JSONValue($0.value)) }) { $1 })
        }
    }

    /// A number, a truth value or a null, as YAML writes it.
    private static func plain(_ text: String) -> JSONValue {
        switch text.lowercased() {
        case "", "~", "null": return .null
        case "true", "yes", "on": return .bool(true)
        case "false", "no", "off": return .bool(false)
        default: break
        }
        if let integer = Int64(text) { return .integer(integer) }
        return Decimal(string: text, locale: nil).map { .decimal($0) } ?? .string(text)
    }
}
