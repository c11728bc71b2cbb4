import Foundation
import Shared
import Yams

/// Checks answers against what an OpenAPI document says of them, with as much of JSON Schema as this project's
/// documents use.
///
/// ```
///   GET /api/runs, 200 --> paths --> response --> schema --> problems(of: answer)
/// ```
public struct OpenAPISchemas: Sendable {
    private let document: JSONValue

    public init(yaml: String) throws { document = JSONValue(yaml: try Yams.load(yaml: yaml)) }

    /// What is wrong with an answer, or with the document that should describe it; empty when both agree.
    ///
    /// - Parameter operation: `GET /api/runs/{id}`.
    public func problems(of answer: JSONValue, to operation: String, status: Int) -> [String] {
        let words = operation.split(separator: " ").map(String.init)
        let response = document["paths"]?[words[1]]?[words[0].lowercased()]?["responses"]?["\(status)"]
        guard let content = response.map(resolved)?["content"], case .object(let types) = content,
            let schema = types.first(where: { $0.key.hasSuffix("json") })?.value["schema"]
        else { return ["\(operation) has no JSON answer \(status) in the document"] }
        return check(answer, schema, "")
    }

    /// What is wrong with a value of a named schema.
    public func problems(of value: JSONValue, as name: String) -> [String] {
        check(value, .object(["$ref": .string("#/components/schemas/\(name)")]), "")
    }

    private func resolved(_ node: JSONValue) -> JSONValue {
        guard let reference = node["$ref"]?.text else { return node }
        return reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null }
    }

    /// - Parameter isClosed: whether a member that the schema does not name is a mistake.
    private func check(_ value: JSONValue, _ node: JSONValue, _ path: String, isClosed: Bool = true) -> [String] {
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
        guard let properties = schema["properties"] else { return problems }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let property = properties[name] {
                problems += check(value, property, "\(path).\(name)")
            } else if isClosed, schema["additionalProperties"] == nil {
                problems.append("\(path).\(name): is not described")
            }
        }
        return problems
    }
}

extension JSONValue {
    /// A value as Yams reads it: its own decoder would make numbers of texts where a number is tried first.
    fileprivate init(yaml value: Any?) {
        switch value {
        case let value as Bool: self = .bool(value)
        case let value as Int: self = .integer(Int64(value))
        case let value as Double: self = .decimal(Decimal(value))
        case let value as String: self = .string(value)
        case let value as [Any]: self = .array(value.map(JSONValue.init(yaml:)))
        case let value as [AnyHashable: Any]:
            self = .object(
                Dictionary(uniqueKeysWithValues: value.map { ("\($0.key.base)", JSONValue(yaml: $0.value)) }))
        default: self = .null
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
