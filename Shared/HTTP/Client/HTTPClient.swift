import CCurl
import Foundation
import HTTPTypes
import Synchronization

/// The client for every outgoing HTTP call: libcurl on one thread, pooled keep-alive connections, one total deadline
/// a request.
///
///     execute ──▶ mailbox ──wake-up──▶ thread: curl_multi_poll ──▶ sockets
///        ▲                                   │
///        └──────── continuation ◀────────────┘
///
/// * **Deadline.** `request.timeout`, or what is left of ``RequestDeadline/current`` if that is less, counts from the
///   call to the last byte: waiting for a place, name lookup, connecting and a server that trickles included.
///   The result is sent on as `X-Request-Deadline-Ms`, unless the request says not to.
/// * **Trace.** A child of ``TraceContext/current`` is sent as `traceparent`.
/// * **Limits.** The body by `request.maxResponseBytes`, the header and what may be in flight by the configuration.
///   What comes after the announced end of an answer is never taken for the next answer.
/// * **No surprises.** HTTP/1.1, no redirects, no proxy from the environment, no cookies, no decompression, dot
///   segments in paths are kept. Fields that frame the message or rule the connection (`Content-Length`,
///   `Transfer-Encoding`, `Connection`, `Expect`, ...) are the client's own; the caller's are dropped.
/// * **No hidden retry of a payment.** When a pooled connection turns out to be closed before any byte of the answer
///   came, the request is sent once more on a fresh one if that is safe: for idempotent methods, and with an
///   `Idempotency-Key`. Any other fails with ``HTTPClientError/connectionLost``: the server may have done its work.
///
/// One client serves a whole process. It is `Sendable`, and its thread ends with ``shutdown()`` or with the client.
public final class HTTPClient: Sendable {
    let configuration: HTTPClientConfiguration
    let mailbox: TransferMailbox

    public init(configuration: HTTPClientConfiguration = .init()) {
        Self.prepareLibcurl
        let multi = MultiHandle(configuration)
        let mailbox = TransferMailbox(waking: multi)
        self.configuration = configuration
        self.mailbox = mailbox
        let thread = Thread {
            TransferLoop(multi, mailbox, configuration).run()
            mailbox.end()
        }
        thread.name = "http-client"
        thread.start()
    }

    deinit { mailbox.close() }

    /// Sends `request` and returns the complete answer, of whatever status.
    ///
    /// Cancelling the task ends the transfer, closes its connection and throws `CancellationError` at once.
    ///
    /// - Throws: ``HTTPClientError`` or `CancellationError`.
    public func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let timeout = try timeout(of: request)
        let raw = try await run(Transfer(request, timeout: timeout, configuration: configuration))
        return HTTPClientResponse(
            status: raw.status, headers: try headers(of: raw), body: raw.body, timings: raw.timings)
    }

    /// The time that `request` may take.
    ///
    /// - Throws: what ends it before it has begun.
    func timeout(of request: HTTPClientRequest) throws -> Duration {
        try Task.checkCancellation()
        guard RequestURL.isValid(request.url) else { throw HTTPClientError.invalidURL }
        let timeout = min(request.timeout, RequestDeadline.current?.remaining ?? request.timeout, Self.maxTimeout)
        guard timeout > .zero else { throw HTTPClientError.timedOut }
        return timeout
    }

    func headers(of raw: RawResponse) throws -> HTTPFields {
        guard let headers = ResponseHead.fields(in: raw.head, maxFields: configuration.maxHeaderFields) else {
            throw HTTPClientError.malformedResponse
        }
        return headers
    }

    /// Fails what is under way, and whatever is asked later, with ``HTTPClientError/closed``; closes all connections
    /// and returns when the thread is done. May be called more than once.
    public func shutdown() async {
        mailbox.close()
        await mailbox.waitForEnd()
    }

    /// Returns with the complete answer; for a stream, with its head.
    func run(_ transfer: Transfer) async throws -> RawResponse {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                transfer.continuation = continuation
                if !mailbox.post(.start(transfer)) { continuation.resume(throwing: HTTPClientError.closed) }
            }
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Does nothing to one that has ended.
    func cancel(_ transfer: Transfer) {
        transfer.isCancelled.store(true, ordering: .releasing)
        mailbox.post(.cancel(transfer))
    }

    /// Longer ones are cut to this, well within what a count of milliseconds can hold.
    private static let maxTimeout = Duration.seconds(86_400)

    static let prepareLibcurl: Void = {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        precondition(code == CURLE_OK, "libcurl cannot start")
    }()
}

enum RequestURL {
    /// What servers take at least, RFC 9110 section 4.1.
    private static let maxBytes = 8000

    /// Only what may stand in a request line, so that no line break gets into the request; libcurl checks the rest.
    static func isValid(_ url: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: url.hasPrefix), url.utf8.count <= maxBytes,
            url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let host = url.utf8.dropFirst(scheme.utf8.count).first
        else { return false }
        return !"/?#".utf8.contains(host)
    }
}
