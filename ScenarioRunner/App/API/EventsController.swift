import AsyncAlgorithms
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Shared

/// `GET /api/events`: the live picture as server-sent events.
///
/// ```
///   snapshot --> then as they happen: second, run, failure_modes, rate_limit --> and a comment every 10 s
/// ```
struct EventsController: Sendable {
    let hub: EventHub
    /// Everything that a page needs to draw itself, for its first event.
    let snapshot: @Sendable () async -> EventHub.Event?

    static let heartbeat = Duration.seconds(10)

    var routes: [Route] { [.get("/api/events", stream)] }

    private func stream(_ request: Request, _ context: AppContext) async throws -> Response {
        guard let events = hub.subscribe() else {
            throw Problem.retryLater(.serviceUnavailable, "Too many pages are open.", seconds: 10)
        }
        let first = await snapshot()
        // The comment keeps both sides from waiting for a dead peer.
        let comments = AsyncTimerSequence(interval: Self.heartbeat, clock: .continuous).map { _ in ": still here\n\n" }
        let lines = merge(events.map(\.text), comments).cancelOnGracefulShutdown()
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
        ]
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                if let first { try await writer.write(ByteBuffer(string: first.text)) }
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    for try await text in lines { try await writer.write(ByteBuffer(string: text)) }
                }
                try await writer.finish(nil)
            })
    }
}
