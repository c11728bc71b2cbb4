import Foundation
import HTTPTypes

/// An answer that is read while it comes. One task reads it, once.
public struct HTTPClientStream: AsyncSequence, Sendable {
    public let status: Int
    public let headers: HTTPFields
    let buffer: StreamBuffer

    public struct Iterator: AsyncIteratorProtocol {
        let buffer: StreamBuffer

        /// The next piece of the body, as the network cut it; nil at its end.
        ///
        /// - Throws: ``HTTPClientError`` when it breaks off, is silent for too long or goes on for too long;
        ///   `CancellationError` when the task is cancelled.
        public func next() async throws -> Data? { try await buffer.next() }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer) }
}

extension HTTPClient {
    /// Sends `request` and hands the answer to `body` as soon as its header is there. When `body` returns or throws, the
    /// transfer ends, wherever it is.
    ///
    /// * **Deadline.** `request.timeout` is the whole time, reading included; `silence` is the longest that nothing may
    ///   come. Both end the stream with ``HTTPClientError/timedOut``. While the reader is slow, the silence is his.
    /// * **Back-pressure.** What has come and is not read is at most `bufferBytes` and one piece of 16 KiB; then the
    ///   connection is not read until the reader has read. `request.maxResponseBytes` does not count here.
    ///
    /// - Throws: what `body` throws; ``HTTPClientError`` or `CancellationError` when there was no answer.
    public func withStream<Value: Sendable>(
        _ request: HTTPClientRequest, silence: Duration, bufferBytes: Int = 256 * 1024,
        _ body: (HTTPClientStream) async throws -> Value
    ) async throws -> Value {
        let timeout = try timeout(of: request)
        let transfer = Transfer(request, timeout: timeout, configuration: configuration)
        let buffer = StreamBuffer(limit: bufferBytes) { [mailbox, weak transfer] in
            if let transfer { mailbox.post(.resume(transfer)) }
        }
        transfer.stream = .init(buffer: buffer, silence: silence)
        defer { cancel(transfer) }
        let raw = try await run(transfer)
        let stream = HTTPClientStream(status: raw.status, headers: try headers(of: raw), buffer: buffer)
        return try await body(stream)
    }
}
