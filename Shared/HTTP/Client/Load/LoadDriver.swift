import Foundation
import HTTPTypes

/// What sends a load: asked by a ``LoadLoop`` what to do next, and told how each request ended. All of it on the loop's
/// own thread, so it must be quick and never wait.
///
/// Times are nanoseconds of `CLOCK_MONOTONIC`, and always handed in.
public protocol LoadDriver: AnyObject, Sendable {
    /// What to do at `nowNs`. Asked again after every request that it sends, when a request ends, when its time has
    /// come, and when the loop is woken.
    ///
    /// - Parameter message: empty; to be filled in for ``LoadStep/send``.
    func step(nowNs: UInt64, message: inout LoadMessage) -> LoadStep

    /// One request that was sent has ended. Called exactly once for each, but for those that ``LoadStep/finish``
    /// breaks off.
    func ended(_ end: LoadEnd)
}

public enum LoadStep: Sendable, Equatable {
    /// Send the message now.
    case send
    /// Nothing to do before this time, unless a request ends.
    case wait(untilNs: UInt64)
    /// The load is over. What is still under way is broken off and not told.
    case finish
}

/// One kind of request of a load: what all requests of that kind have in common, set once.
public struct LoadForm: Sendable {
    public var method: HTTPRequest.Method
    /// An absolute `http` or `https` URL, already percent-encoded.
    public var url: String
    public var headers: HTTPFields
    public var body: [UInt8]?
    /// Whether ``LoadEnd/body`` is wanted.
    public var keepsAnswer: Bool

    public init(
        method: HTTPRequest.Method, url: String, headers: HTTPFields = [:], body: [UInt8]? = nil,
        keepsAnswer: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.keepsAnswer = keepsAnswer
    }
}

/// One request: its form, and what is its own.
public struct LoadMessage: Sendable {
    /// The place of its form among the loop's.
    public var form = 0
    /// The driver's own name for it, found again in ``LoadEnd/token``.
    public var token = 0
    /// Instead of the form's.
    public var url: String?
    /// Beside the form's.
    public var headers: [HTTPField] = []
    /// Instead of the form's.
    public var body: [UInt8]?

    public init() {}

    mutating func clear() {
        form = 0
        token = 0
        url = nil
        headers.removeAll(keepingCapacity: true)
        body = nil
    }
}

/// How one request ended.
public struct LoadEnd {
    public enum Outcome: Sendable, Equatable {
        case status(Int)
        case failed(HTTPClientError)
    }

    public let token: Int
    public let outcome: Outcome
    /// When it was handed over for sending, and when its last byte had come or it had failed.
    public let startedNs: UInt64
    public let endedNs: UInt64
    /// The answer's `X-Served-By`.
    public let servedBy: String?
    /// The answer's body, if the form keeps it; good for the time of the call only.
    public let body: UnsafeRawBufferPointer

    public init(
        token: Int, outcome: Outcome, startedNs: UInt64, endedNs: UInt64, servedBy: String? = nil,
        body: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) {
        self.token = token
        self.outcome = outcome
        self.startedNs = startedNs
        self.endedNs = endedNs
        self.servedBy = servedBy
        self.body = body
    }
}
