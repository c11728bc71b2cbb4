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

    /// The name in samples: `chain`.
    public let name: String
    public let method: HTTPRequest.Method
    public let url: TextTemplate
    /// How often it comes, against the other templates; 1 to 1000.
    public let weight: Int
    public let headers: [(name: HTTPField.Name, value: TextTemplate)]
    public let body: TextTemplate?

    /// - Throws: ``LoadPlanError`` for an unknown method, a weight out of range, a bad header name or placeholder.
    public init(
        name: String, method: HTTPRequest.Method, url: String, weight: Int = 1, headers: [(String, String)] = [],
        body: String? = nil
    ) throws(LoadPlanError) {
        guard Self.methods.contains(method) else {
            let known = Self.methods.map(\.rawValue).joined(separator: ", ")
            throw LoadPlanError("request \(name): method \(method) is not one of \(known)")
        }
        guard (1...1000).contains(weight) else { throw LoadPlanError("request \(name): weight must be from 1 to 1000") }
        self.name = name
        self.method = method
        self.url = try TextTemplate(url)
        self.weight = weight
        self.headers = try Self.parse(headers, of: name)
        if let body { self.body = try TextTemplate(body) } else { self.body = nil }
    }

    private static func parse(
        _ headers: [(String, String)], of request: String
    ) throws(LoadPlanError) -> [(name: HTTPField.Name, value: TextTemplate)] {
        var parsed: [(name: HTTPField.Name, value: TextTemplate)] = []
        for (name, value) in headers {
            guard let field = HTTPField.Name(name) else {
                throw LoadPlanError("request \(request): '\(name)' is not a header name")
            }
            parsed.append((field, try TextTemplate(value)))
        }
        return parsed
    }

    public static func == (left: RequestTemplate, right: RequestTemplate) -> Bool {
        left.name == right.name && left.method == right.method && left.url == right.url && left.weight == right.weight
            && left.body == right.body && left.headers.elementsEqual(right.headers, by: ==)
    }
}

/// A request ready to be sent.
public struct PreparedRequest: Sendable {
    /// From 0, in the order of the plan.
    public let index: Int
    /// The template's name.
    public let endpoint: String
    public let method: HTTPRequest.Method
    public let url: String
    public let headers: HTTPFields
    public let body: String?
    /// From the call to the last byte of the answer.
    public let timeout: Duration

    /// Whether it asks for a payment, which must be found in the books afterwards.
    public var isPayment: Bool { method == .post && url.hasSuffix("/payment/process") }

    /// The payment's names once the answer is there; nil for any other request.
    public func payment(id: String?) -> RequestSample.Payment? {
        guard isPayment else { return nil }
        return RequestSample.Payment(
            idempotencyKey: HTTPField.Name("Idempotency-Key").flatMap { headers[$0] }, paymentID: id,
            amount: body.flatMap(PaymentWish.amount))
    }
}

/// A load at a constant rate, every request of it decided beforehand.
///
/// The model is open: request k is due at k / rate whatever became of those before it, as with users who do not know
/// of each other. (A closed model waits for answers, so it sends least exactly when the system is worst.)
public struct LoadPlan: Sendable, Equatable {
    /// 0.1 to 100 000.
    public let ratePerSecond: Double
    /// How many requests in all; at most 10 million.
    public let total: Int
    /// Decides the mix and the bodies.
    public let seed: UInt64
    /// Makes keys unique: a repeated run with one seed must not be answered from the store of the first.
    public let runID: String
    public let requests: [RequestTemplate]
    /// Of one request, in all.
    public let timeout: Duration
    /// Requests that may be under way at a time; more are dropped, and counted.
    public let maximumInFlight: Int

    /// - Throws: ``LoadPlanError`` when a number is out of its range or there are no requests.
    public init(
        ratePerSecond: Double, duration: Duration, seed: UInt64, runID: String, requests: [RequestTemplate],
        timeout: Duration = .seconds(10), maximumInFlight: Int = 4096
    ) throws(LoadPlanError) {
        guard (0.1...100_000).contains(ratePerSecond) else {
            throw LoadPlanError("the rate must be from 0.1 to 100000 requests a second")
        }
        let seconds = Double(duration.nanoseconds) / 1e9
        guard seconds * ratePerSecond <= 1e7, seconds > 0 else {
            throw LoadPlanError("the load must last more than 0 s and at most 10 million requests")
        }
        guard !requests.isEmpty else { throw LoadPlanError("the load has no requests") }
        guard timeout > .zero, maximumInFlight > 0 else {
            throw LoadPlanError("the timeout and the number of requests under way must be more than 0")
        }
        self.ratePerSecond = ratePerSecond
        // Those due before the end; at least the first, due at 0.
        total = max(1, Int((seconds * ratePerSecond).rounded(.up)))
        self.seed = seed
        self.runID = runID
        self.requests = requests
        self.timeout = timeout
        self.maximumInFlight = maximumInFlight
    }

    /// How long a user of a run waits for an answer: as long as the replaced system's test script did.
    public static let patience = Duration.seconds(5)

    /// What a run puts on the system: chains and payments, one to one.
    ///
    /// - Parameter baseURL: of the payment service, such as `http://127.0.0.1:5002`, without a slash at the end.
    public static func chainAndProcess(
        baseURL: String, ratePerSecond: Double, duration: Duration, seed: UInt64, runID: String
    ) throws(LoadPlanError) -> LoadPlan {
        let json = ("Content-Type", "application/json")
        let product = #""product_id":"${choice:1,2,3,4,5}""#
        return try LoadPlan(
            ratePerSecond: ratePerSecond, duration: duration, seed: seed, runID: runID,
            requests: [
                try RequestTemplate(
                    name: "chain", method: .post, url: "\(baseURL)/payment/chain", headers: [json],
                    body: "{\(product)}"),
                try RequestTemplate(
                    name: "process", method: .post, url: "\(baseURL)/payment/process",
                    headers: [json, ("Idempotency-Key", "${uuid}")],
                    body: #"{"amount":"19.99","currency":"USD",\#(product)}"#),
            ], timeout: patience)
    }

    /// When request `index` is due, after the start.
    public func offsetNs(of index: Int) -> UInt64 {
        UInt64((Double(index) * 1e9 / ratePerSecond).rounded())
    }

    /// Request `index`, the same on every call.
    public func request(at index: Int) -> PreparedRequest {
        var choices = SeededGenerator(seed: seed, purpose: "request \(index)")
        var keys = SeededGenerator(seed: seed, purpose: "keys \(runID) \(index)")
        let template = template(using: &choices)
        var headers = HTTPFields()
        for (name, value) in template.headers {
            headers.append(HTTPField(name: name, value: value.render(choices: &choices, keys: &keys)))
        }
        return PreparedRequest(
            index: index, endpoint: template.name, method: template.method,
            url: template.url.render(choices: &choices, keys: &keys), headers: headers,
            body: template.body?.render(choices: &choices, keys: &keys), timeout: timeout)
    }

    private func template(using generator: inout SeededGenerator) -> RequestTemplate {
        var draw = Int.random(in: 0..<requests.reduce(0) { $0 + $1.weight }, using: &generator)
        for request in requests {
            draw -= request.weight
            if draw < 0 { return request }
        }
        return requests[0]
    }
}
