import Experiments
import HTTPTypes

/// Why a load cannot be run as asked; one line, for people.
public struct LoadPlanError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One kind of request of a load. Texts may hold the placeholders of ``TextTemplate``.
public struct RequestTemplate: Sendable, Equatable {
    static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete]
    static let weights = 1...1000

    /// The name in samples: `chain`.
    public let name: String
    public let method: HTTPRequest.Method
    public let url: TextTemplate
    /// How often it comes, against the other templates; 1 to 1000.
    public let weight: Int
    public let headers: [(name: HTTPField.Name, value: TextTemplate)]
    public let body: TextTemplate?
    /// Nil for the usual meaning of success: 2xx, or declined.
    public let expectation: AnswerExpectation?
    /// What its answers leave for later requests, by name: where in the JSON body it stands (RFC 6901).
    public let remembers: [String: JSONPointer]

    /// - Throws: ``LoadPlanError`` for an unknown method, a weight out of range, a bad header name or placeholder.
    public init(
        name: String, method: HTTPRequest.Method, url: String, weight: Int = 1, headers: [(String, String)] = [],
        body: String? = nil, expectation: AnswerExpectation? = nil, remembers: [String: JSONPointer] = [:]
    ) throws(LoadPlanError) {
        guard Self.methods.contains(method) else {
            let known = Self.methods.map(\.rawValue).joined(separator: ", ")
            throw LoadPlanError("request \(name): method \(method) is not one of \(known)")
        }
        guard Self.weights.contains(weight) else {
            throw LoadPlanError("request \(name): weight must be from 1 to 1000")
        }
        self.name = name
        self.method = method
        self.url = try TextTemplate(url)
        self.weight = weight
        self.headers = try Self.parse(headers, of: name)
        if let body { self.body = try TextTemplate(body) } else { self.body = nil }
        self.expectation = expectation
        self.remembers = remembers
        let recalled = texts.flatMap(\.recalls)
        for taken in texts.flatMap(\.takes) where recalled.count(where: { $0 == taken }) > 1 {
            throw LoadPlanError("request \(name): takes '\(taken)', and recalls it once more")
        }
    }

    private static func parse(
        _ headers: [(String, String)], of request: String
    ) throws(LoadPlanError) -> [(name: HTTPField.Name, value: TextTemplate)] {
        var parsed: [(name: HTTPField.Name, value: TextTemplate)] = []
        for (name, text) in headers {
            guard let field = HTTPField.Name(name) else {
                throw LoadPlanError("request \(request): '\(name)' is not a header name")
            }
            let value = try TextTemplate(text)
            // The client has its own say about these, once for all requests of a kind.
            guard value.constant != nil || ![.contentType, .userAgent].contains(field) else {
                throw LoadPlanError("request \(request): header \(name) takes no placeholders")
            }
            parsed.append((field, value))
        }
        return parsed
    }

    public static func == (left: RequestTemplate, right: RequestTemplate) -> Bool {
        left.name == right.name && left.method == right.method && left.url == right.url && left.weight == right.weight
            && left.body == right.body && left.headers.elementsEqual(right.headers, by: ==)
            && left.expectation == right.expectation && left.remembers == right.remembers
    }

    /// Whether it asks for a payment, which must be found in the books afterwards.
    var isPayment: Bool { method == .post && url.constant?.hasSuffix("/payment/process") == true }

    /// The names that it needs earlier answers to have left.
    var recalls: Set<String> {
        Set(texts.flatMap(\.recalls))
    }

    private var texts: [TextTemplate] { [url] + headers.map(\.value) + (body.map { [$0] } ?? []) }
}
