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
    let connectTo: ConnectTo?
    /// Of the whole request; of a stream, also of the silence that there is now.
    private(set) var deadline: ContinuousClock.Instant
    /// Set by the caller's task, perhaps before the client's thread has seen the transfer.
    let isCancelled = Atomic<Bool>(false)

    /// Where the body of a stream goes, and how long nothing may come.
    struct Stream {
        let buffer: StreamBuffer
        let silence: Duration
        var lastHeard = ContinuousClock.now
        /// The buffer is full: the silence is the reader's.
        var isPaused = false
    }

    var continuation: CheckedContinuation<RawResponse, any Error>?
    /// Nil where the answer is collected. Set before the transfer is handed over.
    var stream: Stream?
    var phase = Phase.waiting
    var deadlineIndex: Int?
    private(set) var easy: EasyHandle?
    /// What a callback found wrong; libcurl itself then only says that the callback ended the transfer.
    private(set) var failure: HTTPClientError?

    /// Nothing was sent, for the pooled connection was not clean: the transfer is to start again without the pool.
    private(set) var needsFreshConnection = false

    private var pool: PooledSockets?
    private var opened: PooledSockets.Connection?
    let isPlain: Bool
    private let lastDeadline: ContinuousClock.Instant
    private let maxHeaderBytes: Int
    private var headerBytes = 0
    private var head: [UInt8] = []
    private var headIsComplete = false
    private var body = Data()
    private var timesSent = 0

    init(_ request: HTTPClientRequest, timeout: Duration, configuration: HTTPClientConfiguration) {
        self.request = request
        deadline = .now.advanced(by: timeout)
        lastDeadline = deadline
        headers = RequestHeaders(for: request, timeout: timeout, userAgent: configuration.userAgent)
        connectTo = request.connectTo.map(ConnectTo.init)
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
        if headIsComplete { deliverHead() }
        return true
    }

    enum BodyVerdict {
        case taken, ended
        /// To be offered again after a resume.
        case paused
    }

    /// Takes a piece of the body.
    func receive(bodyPart part: UnsafeRawBufferPointer) -> BodyVerdict {
        guard let stream else { return collect(part) ? .taken : .ended }
        self.stream?.lastHeard = .now
        guard stream.buffer.offer(part) else {
            self.stream?.isPaused = true
            return .paused
        }
        return .taken
    }

    /// Returns false to end the transfer.
    private func collect(_ part: UnsafeRawBufferPointer) -> Bool {
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

    // MARK: Streams

    /// The caller of a stream goes on as soon as the final head is there.
    private func deliverHead() {
        guard stream != nil, let easy, easy.status >= 200 else { return }
        stream?.lastHeard = .now
        continuation?.resume(
            returning: RawResponse(status: easy.status, head: head, body: Data(), timings: easy.timings))
        continuation = nil
    }

    /// Moves the deadline of a stream to when its silence will have been too long. Returns false when it has been.
    ///
    /// Only asked when the deadline has passed: to move it with every piece would cost more.
    func extendDeadline(at now: ContinuousClock.Instant) -> Bool {
        guard let stream, now < lastDeadline else { return false }
        let heard = stream.isPaused ? now : stream.lastHeard
        deadline = min(lastDeadline, heard + stream.silence)
        return now < deadline
    }

    /// The silence counts from the call on.
    func beginSilence() {
        guard let stream else { return }
        deadline = min(lastDeadline, .now + stream.silence)
    }

    /// The reader has made room.
    func resume() {
        guard stream?.isPaused == true, let easy else { return }
        stream?.isPaused = false
        stream?.lastHeard = .now
        easy.resume()
    }

    /// Resumes whoever waits for the end.
    func end(_ outcome: Result<RawResponse, any Error>) {
        continuation?.resume(with: outcome)
        continuation = nil
        stream?.buffer.finish(outcome.map { _ in })
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
