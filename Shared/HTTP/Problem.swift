import Foundation
import HTTPTypes
import Hummingbird

/// The one shape in which errors leave a process: `application/problem+json` (RFC 9457).
///
/// Throw it from a handler; the server renders it. Its texts are for clients: no host names, no SQL.
public struct Problem: Error, Sendable, Equatable {
    public var status: HTTPResponse.Status
    /// What went wrong and, where it helps, what to do about it.
    public var detail: String
    /// Further members: `available`, `decline_code`, `payment_id`, `source`, ...
    public var members: [String: JSONValue]
    public var headers: HTTPFields

    public init(
        _ status: HTTPResponse.Status, _ detail: String, members: [String: JSONValue] = [:], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.members = members
        self.headers = headers
    }

    public static func malformed(_ detail: String) -> Problem { Problem(.badRequest, detail) }
    public static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail) }
    public static func conflict(_ detail: String, members: [String: JSONValue] = [:]) -> Problem {
        Problem(.conflict, detail, members: members)
    }

    /// 422: well-formed, but these fields are wrong. One message a field.
    public static func invalid(_ fields: [FieldError]) -> Problem {
        let detail = fields.map { "\($0.field): \($0.message)" }.joined(separator: "; ")
        let errors = fields.map { JSONValue.object(["field": .string($0.field), "message": .string($0.message)]) }
        return Problem(.unprocessableContent, detail, members: ["errors": .array(errors)])
    }

    public static func invalid(_ field: String, _ message: String) -> Problem {
        invalid([FieldError(field: field, message: message)])
    }

    /// A refusal that passes: 429 or 503 with `Retry-After`, in whole seconds and at least 1.
    public static func retryLater(
        _ status: HTTPResponse.Status, _ detail: String, seconds: Int, members: [String: JSONValue] = [:]
    ) -> Problem {
        let wait = max(1, seconds)
        var all = members
        all["retry_after"] = .integer(Int64(wait))
        return Problem(status, detail, members: all, headers: [.retryAfter: String(wait)])
    }

    /// The body: the standard members, `error` for clients of the old system, and the further ones, which win over
    /// the standard ones of the same name.
    public func document(instance: String) -> JSONValue {
        let standard: [String: JSONValue] = [
            "type": .string("about:blank"), "title": .string(status.reasonPhrase),
            "status": .integer(Int64(status.code)), "detail": .string(detail), "error": .string(detail),
            "instance": .string(instance),
        ]
        return .object(standard.merging(members) { $1 })
    }
}

extension Problem: HTTPResponseError {
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        let instance = CardNumbers.masked(path: request.uri.path)
        var response = try Response.json(document(instance: instance), status: status)
        response.headers[.contentType] = "application/problem+json; charset=utf-8"
        response.headers.append(contentsOf: headers)
        return response
    }
}

/// One field that is wrong.
public struct FieldError: Sendable, Equatable {
    public let field: String
    public let message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}

/// A JSON value whose shape is not known beforehand.
public enum JSONValue: Sendable, Equatable, Codable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number that is no integer, kept exact.
    case decimal(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .decimal(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .decimal(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The member of an object, or nil.
    public subscript(_ member: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[member]
    }

    /// The text of a string, or nil.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}
