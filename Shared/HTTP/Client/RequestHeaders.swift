import CCurl
import Foundation
import HTTPTypes

/// The header lines of one request in the form that libcurl takes, freed with this object.
final class RequestHeaders {
    private(set) var list: UnsafeMutablePointer<curl_slist>?

    /// The caller's fields, and those that the client adds where the caller has none.
    ///
    /// No line can hold a line break: `HTTPField` turns CR, LF and NUL in a value into spaces, and a name is a token.
    init(for request: HTTPClientRequest, timeout: Duration, userAgent: String) {
        for field in request.headers where !Self.ownedByClient.contains(field.name) {
            append(field)
        }
        if request.headers[.userAgent] == nil {
            append(HTTPField(name: .userAgent, value: userAgent))
        }
        if request.sendsDeadline, request.headers[.requestDeadline] == nil {
            append(HTTPField(name: .requestDeadline, value: String(max(1, timeout.wholeMilliseconds))))
        }
        if request.headers[Self.traceparent] == nil, let trace = TraceContext.current {
            append(HTTPField(name: Self.traceparent, value: trace.child().traceparent))
        }
        if request.bodyToSend != nil {
            append(line: "Expect:")
            if request.headers[.contentType] == nil { append(line: "Content-Type:") }
        }
    }

    deinit { curl_slist_free_all(list) }

    /// Whether a request may be sent a second time when its connection dies without an answer (RFC 9110
    /// section 9.2.2): its method is idempotent, or it carries the key by which the server knows it again.
    static func maySendAgain(_ request: HTTPClientRequest) -> Bool {
        idempotentMethods.contains(request.method) || request.headers[idempotencyKey] != nil
    }

    /// The same for every request of `form`.
    static func maySendAgain(_ form: LoadForm) -> Bool {
        idempotentMethods.contains(form.method) || form.headers[idempotencyKey] != nil
    }

    static func isIdempotencyKey(_ field: HTTPField) -> Bool { field.name == idempotencyKey }

    private func append(_ field: HTTPField) { append(line: Self.line(field)) }

    static func line(_ field: HTTPField) -> String {
        // "Name:" alone would take the field away; a semicolon sends it empty.
        field.value.isEmpty ? "\(field.name.rawName);" : "\(field.name.rawName): \(field.value)"
    }

    /// A line that ends in a colon takes away what libcurl would send by itself.
    private func append(line: String) {
        guard let longer = curl_slist_append(list, line) else { preconditionFailure("out of memory") }
        list = longer
    }

    /// How the message is framed and the connection used is for libcurl to say: a second opinion in the header is
    /// how requests are smuggled.
    static let ownedByClient: Set<HTTPField.Name> = [
        .contentLength, .transferEncoding, .connection, .expect, .upgrade, .te, .trailer,
    ]
    private static let idempotentMethods: Set<HTTPRequest.Method> = [.get, .head, .options, .put, .delete, .trace]
    private static let traceparent = fieldName("traceparent")
    private static let idempotencyKey = fieldName("Idempotency-Key")

    private static func fieldName(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
        return name
    }
}

extension HTTPClientRequest {
    /// The body, which some methods have even when it is empty: then its length is sent, 0 (RFC 9110 section 8.6).
    var bodyToSend: Data? {
        switch method {
        case .head: nil
        case .post, .put, .patch: body ?? Data()
        default: body
        }
    }
}

extension Duration {
    /// Milliseconds, rounded down.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
