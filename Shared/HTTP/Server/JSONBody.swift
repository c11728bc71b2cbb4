import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    /// The body as a value. What is wrong with it is thrown as the ``Problem`` that the contract names:
    /// 415 not JSON, 413 over 64 KiB, 400 malformed, 422 from the type's own checks.
    public func json<Value: Decodable>(_ type: Value.Type = Value.self) async throws -> Value {
        guard let contentType = headers[.contentType], Self.isJSON(contentType) else {
            throw Problem(.unsupportedMediaType, "The Content-Type must be application/json.")
        }
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: AppContext.maxBodyBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(.contentTooLarge, "The body must have at most \(AppContext.maxBodyBytes) bytes.")
        }
        guard JSONSyntax.isValid(buffer.readableBytesView) else {
            throw Problem.malformed("The body is not well-formed JSON.")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem.malformed("The body is not well-formed JSON.")
        }
    }

    /// A parameter of the query, percent-decoded, or nil.
    public func queryParameter(_ name: String) -> String? {
        uri.queryParameters[name[...]].map(String.init)
    }

    /// A whole number in the query.
    ///
    /// - Throws: ``Problem`` 422 when it is there and is no integer within the range.
    public func queryInteger(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = queryParameter(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw Problem.invalid(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        return type == "application/json"
            || (type?.hasPrefix("application/") == true && type?.hasSuffix("+json") == true)
    }
}

extension Response {
    /// A JSON answer with sorted keys.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var all = headers
        all[.contentType] = "application/json; charset=utf-8"
        return Response(
            status: status, headers: all, body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }

    /// A text answer of the given type.
    public static func text(_ text: String, contentType: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: contentType], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
