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
    private let schemas: SchemaCheck
    private var document: JSONValue { schemas.document }

    public init(yaml: String) throws { schemas = SchemaCheck(document: JSONValue(yaml: try Yams.load(yaml: yaml))) }

    /// What is wrong with an answer, or with the document that should describe it; empty when both agree.
    ///
    /// - Parameter operation: `GET /api/runs/{id}`.
    public func problems(of answer: JSONValue, to operation: String, status: Int) -> [String] {
        let words = operation.split(separator: " ").map(String.init)
        let response = document["paths"]?[words[1]]?[words[0].lowercased()]?["responses"]?["\(status)"]
        guard let content = response.map(schemas.resolved)?["content"], case .object(let types) = content,
            let schema = types.first(where: { $0.key.hasSuffix("json") })?.value["schema"]
        else { return ["\(operation) has no JSON answer \(status) in the document"] }
        return schemas.check(answer, schema, "")
    }

    /// What is wrong with a value of a named schema.
    public func problems(of value: JSONValue, as name: String) -> [String] {
        schemas.check(value, .object(["$ref": .string("#/components/schemas/\(name)")]), "")
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
}
