/// Whether a system answers as it should (Chaos Mesh 2.8: `StatusCheckSpec`), every field of it.
public struct StatusCheckSpec: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// Ends with the first `successThreshold` successes or `failureThreshold` failures in a row.
        case synchronous = "Synchronous"
        /// Goes on until its duration is over, or fails.
        case continuous = "Continuous"
    }

    enum Kind: String, CaseIterable {
        case http = "HTTP"
    }

    public enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
    }

    public let mode: Mode
    /// With scheme and host.
    public let url: String
    public let method: Method
    public let headers: [String: [String]]
    public let body: String?
    /// Which answers are successes: 1 to 999, `200` or `200-299`.
    public let statusCodes: ClosedRange<Int>
    /// Of one request, 1 or more.
    public let timeoutSeconds: Int
    /// Between two requests, 1 or more.
    public let intervalSeconds: Int
    /// Failures in a row that make it fail, 1 or more.
    public let failureThreshold: Int
    /// Successes in a row that make it succeed, 1 or more; only in synchronous mode.
    public let successThreshold: Int
    /// How many results are kept, 1 to 1000.
    public let recordsHistoryLimit: Int
    /// Of the whole check; nil: no limit.
    public let duration: Duration?

    /// How long it can last at most; nil when it has no end of its own.
    public var longest: Duration? { duration }

    /// `200`, `200-299`.
    var statusCodeText: String {
        statusCodes.count == 1 ? "\(statusCodes.lowerBound)" : "\(statusCodes.lowerBound)-\(statusCodes.upperBound)"
    }
}

extension StatusCheckSpec {
    private static let counts = 1...Int(Int32.max)

    init(_ fields: ManifestFields) throws(Refusal) {
        try fields.allow([
            "duration", "failureThreshold", "http", "intervalSeconds", "mode", "recordsHistoryLimit",
            "successThreshold", "timeoutSeconds", "type",
        ])
        mode = try fields.choice("mode", of: Mode.self) ?? .synchronous
        _ = try fields.choice("type", of: Kind.self)
        // The defaults are those of the schema.
        timeoutSeconds = try fields.integer("timeoutSeconds", in: Self.counts) ?? 1
        intervalSeconds = try fields.integer("intervalSeconds", in: Self.counts) ?? 10
        failureThreshold = try fields.integer("failureThreshold", in: Self.counts) ?? 3
        successThreshold = try fields.integer("successThreshold", in: Self.counts) ?? 1
        recordsHistoryLimit = try fields.integer("recordsHistoryLimit", in: 1...1000) ?? 100
        duration = try fields.duration()
        let http = try fields.require("http", fields.object("http"))
        try http.allow(["body", "criteria", "headers", "method", "url"])
        url = try http.require("url", http.quantity("url", StatusCheckSpec.url))
        method = try http.choice("method", of: Method.self) ?? .get
        headers = try http.stringsMap("headers")
        body = try http.string("body")
        let criteria = try http.require("criteria", http.object("criteria"))
        try criteria.allow(["statusCode"])
        statusCodes = try criteria.require("statusCode", criteria.quantity("statusCode", StatusCheckSpec.codes))
    }

    private static func url(_ text: String) throws(QuantityError) -> String {
        let scheme = ["http://", "https://"].first { text.hasPrefix($0) }
        let rest = text.dropFirst(scheme?.count ?? 0)
        guard scheme != nil, let first = rest.first, first != "/", first != ":",
            text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7f })
        else { throw QuantityError("is not a URL: write http:// or https:// with a host") }
        return text
    }

    private static func codes(_ text: String) throws(QuantityError) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            (1...999).contains(first), (1...999).contains(last), first <= last
        else { throw QuantityError("is not a status code: write \"200\" or \"200-299\" in quotes") }
        return first...last
    }
}
