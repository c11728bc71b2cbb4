import CCurl
import Foundation
import Synchronization

/// What came over the wire; its head is read on the caller's side, for the client's thread serves everyone.
struct RawResponse: Sendable {
    let status: Int
    let head: [UInt8]
    let body: Data
    let timings: HTTPClientTimings
}

/// One request on its way: made by the caller, then handed to the client's thread, which alone touches it from there
/// on and alone resumes the caller, exactly once. Only ``isCancelled`` is shared.
final class Transfer: DeadlineEntry, @unchecked Sendable {
    enum Phase {
        case waiting, running, finished
    }

    let request: HTTPClientRequest
    let headers: RequestHeaders
    let deadline: ContinuousClock.Instant
    /// Set by the caller's task, perhaps before the client's thread has seen the transfer.
    let isCancelled = Atomic<Bool>(false)

    var continuation: CheckedContinuation<RawResponse, any Error>?
    var phase = Phase.waiting
    var deadlineIndex: Int?
    private(set) var easy: EasyHandle?
    /// What a callback found wrong; libcurl itself then only says that the callback ended the transfer.
    private(set) var failure: HTTPClientError?

    /// Nothing was sent, for the pooled connection was not clean: the transfer is to start again without the pool.
    private(set) var needsFreshConnection = false

    private var pool: PooledSockets?
    private var opened: PooledSockets.Connection?
    private let isPlain: Bool
    private let maxHeaderBytes: Int
    private var headerBytes = 0
    private var head: [UInt8] = []
    private var headIsComplete = false
    private var body = Data()
    private var timesSent = 0

    init(_ request: HTTPClientRequest, timeout: Duration, configuration: HTTPClientConfiguration) {
        self.request = request
        deadline = .now.advanced(by: timeout)
        headers = RequestHeaders(for: request, timeout: timeout, userAgent: configuration.userAgent)
        isPlain = request.url.hasPrefix("http://")
        maxHeaderBytes = configuration.maxHeaderBytes
    }

    func attach(_ easy: EasyHandle, _ pool: PooledSockets) {
        self.easy = easy
        self.pool = pool
    }

    func detach() -> EasyHandle? {
        defer { easy = nil }
        return easy
    }

    /// Takes one header line: status lines of interim (1xx) and final answers, fields, and trailers after the body.
    /// Only the last head is kept. Returns false to end the transfer.
    func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= maxHeaderBytes else {
            failure = .malformedResponse
            return false
        }
        if headIsComplete {
            guard line.starts(with: "HTTP/".utf8) else { return true }
            head.removeAll(keepingCapacity: true)
            headIsComplete = false
        }
        head.append(contentsOf: line)
        headIsComplete = line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n")
        return true
    }

    /// Takes a piece of the body. Returns false to end the transfer.
    func receive(bodyPart part: UnsafeRawBufferPointer) -> Bool {
        let announced = body.isEmpty ? Int(easy?.contentLength ?? -1) : -1
        guard max(announced, body.count + part.count) <= request.maxResponseBytes else {
            failure = .responseTooLarge(limit: request.maxResponseBytes)
            return false
        }
        if announced > part.count { body.reserveCapacity(announced) }
        body.append(contentsOf: part)
        return true
    }

    /// Called when a connection is ready and nothing has been sent on it. Returns false to end the transfer.
    ///
    /// A pooled connection has to be clean. One with TLS is not asked: it has messages of its own to receive.
    func willSend(on connection: PooledSockets.Connection) -> Bool {
        guard let easy, let pool else { return false }
        if !easy.usesPooledConnection {
            opened = connection
        } else if isPlain, !pool.isClean(connection) {
            needsFreshConnection = true
            return false
        }
        return maySendNow()
    }

    /// Notes that the request is sent. Returns false when it was sent before and must not be again.
    ///
    /// libcurl sends a request anew, on a fresh connection, when a reused one closes before any byte of an answer.
    /// It cannot know whether the server had done its work by then, so a payment could be made twice and nobody
    /// would see that there had been a retry.
    private func maySendNow() -> Bool {
        timesSent += 1
        return timesSent == 1 || RequestHeaders.maySendAgain(request)
    }

    /// Makes the transfer ready to start again, on a connection of its own.
    func demandFreshConnection() {
        needsFreshConnection = false
        easy?.demandFreshConnection()
    }

    /// The complete answer, to be taken while libcurl still knows about the connection.
    func response(from easy: EasyHandle) -> RawResponse {
        if let opened, let socket = easy.pooledSocket { pool?.add(socket, opened) }
        return RawResponse(status: easy.status, head: head, body: body, timings: easy.timings)
    }
}
