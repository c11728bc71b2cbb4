import Foundation
import Shared

/// As much of JSON Schema (2020-12) as the documents of this project use.
///
/// A member that a schema with `properties` does not name is a mistake also where the schema does not forbid it, unless it
/// says `additionalProperties: true`.
struct SchemaCheck: Sendable {
    let document: JSONValue

    func resolved(_ node: JSONValue) -> JSONValue {
        guard let reference = node["$ref"]?.text else { return node }
        return reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null }
    }

    /// - Parameter isClosed: whether a member that the schema does not name is a mistake.
    func check(_ value: JSONValue, _ node: JSONValue, _ path: String, isClosed: Bool = true) -> [String] {
        let schema = resolved(node)
        guard schema != .null else { return ["\(path): its schema is missing"] }
        var problems: [String] = []
        if let constant = schema["const"], constant != value { problems.append("\(path): is not \(constant)") }
        if case .array(let allowed) = schema["enum"], !allowed.contains(value) {
            problems.append("\(path): \(value) is none of the enum")
        }
        if let types = schema["type"], !types.texts.contains(where: value.isOf) {
            problems.append("\(path): \(value) is no \(types.texts)")
        }
        if let number = value.number {
            if let least = schema["minimum"]?.number, number < least {
                problems.append("\(path): \(number) < \(least)")
            }
            if let most = schema["maximum"]?.number, number > most { problems.append("\(path): \(number) > \(most)") }
        }
        if case .array(let parts) = schema["allOf"] {
            problems += parts.flatMap { check(value, $0, path, isClosed: false) }
        }
        if case .array(let choices) = schema["oneOf"], !choices.contains(where: { check(value, $0, path).isEmpty }) {
            problems.append("\(path): fits no choice: \(choices.flatMap { check(value, $0, path) })")
        }
        if case .array(let elements) = value, let items = schema["items"] {
            problems += elements.enumerated().flatMap { check($1, items, "\(path)[\($0)]") }
        }
        if case .object(let members) = value { problems += check(members, schema, path, isClosed: isClosed) }
        return problems
    }

    private func check(_ members: [String: JSONValue], _ schema: JSONValue, _ path: String, isClosed: Bool) -> [String]
    {
        var problems: [String] = []
        for name in schema["required"]?.texts ?? [] where members[name] == nil {
            problems.append("\(path).\(name): is required and missing")
        }
        let (properties, others) = (schema["properties"], schema["additionalProperties"])
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            switch (properties?[name], others) {
            case (let property?, _): problems += check(value, property, "\(path).\(name)")
            case (nil, .bool(true)?): break
            case (nil, .bool(false)?): problems.append("\(path).\(name): is not described")
            case (nil, let schema?): problems += check(value, schema, "\(path).\(name)")
            case (nil, nil):
                if isClosed, properties != nil { problems.append("\(path).\(name): is not described") }
            }
        }
        return problems
    }
}

/// `docs/journal.schema.json`, to check journals with.
public struct JSONSchema: Sendable {
    private let schemas: SchemaCheck

    /// - Throws: `DecodingError` for a document that is no JSON.
    public init(json: Data) throws {
        schemas = SchemaCheck(document: try JSONDecoder().decode(JSONValue.self, from: json))
    }

    /// The schema of journals, from this checkout.
    public static func ofJournals() throws -> JSONSchema {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try JSONSchema(json: Data(contentsOf: root.appendingPathComponent("docs/journal.schema.json")))
    }

    public subscript(member: String) -> JSONValue? { schemas.document[member] }

    /// What is wrong with a document; empty when it is as the schema says.
    public func problems(of json: Data) throws -> [String] {
        schemas.check(try JSONDecoder().decode(JSONValue.self, from: json), schemas.document, "")
    }
}

extension JSONValue {
    fileprivate var number: Decimal? {
        switch self {
        case .integer(let value): Decimal(value)
        case .decimal(let value): value
        default: nil
        }
    }

    fileprivate var texts: [String] {
        if case .array(let values) = self { return values.compactMap(\.text) }
        return text.map { [$0] } ?? []
    }

    fileprivate func isOf(type: String) -> Bool {
        switch (self, type) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"), (.object, "object"): true
        case (.integer, "integer"), (.integer, "number"), (.decimal, "number"): true
        default: false
        }
    }
}
