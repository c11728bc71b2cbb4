import AsyncAlgorithms
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Shared

/// `GET /api/events`: the live picture as server-sent events.
///
/// ```
///   snapshot --> then as they happen: second, run, topology, failure_modes, ... --> and a comment every 10 s
/// ```
///
/// A browser that comes back says which event it heard last (`Last-Event-ID`). Where the hub still has what came after
/// it, that is told instead of the snapshot.
struct EventsController: Sendable {
    let hub: EventHub
    /// Everything that a page needs to draw itself, for its first event.
    let snapshot: @Sendable () async -> EventHub.Event?

    static let heartbeat = Duration.seconds(10)
    /// Of server-sent events, in the HTML standard.
    private static let lastEventID = HTTPField.Name("Last-Event-ID")

    var routes: [Route] { [.get("/api/events", stream)] }

    private func stream(_ request: Request, _ context: AppContext) async throws -> Response {
        guard let subscription = hub.subscribe(after: Self.lastEventID.flatMap { request.headers[$0] }) else {
            throw Problem.retryLater(.serviceUnavailable, "Too many pages are open.", seconds: 10)
        }
        let first = await firstEvents(subscription)
        // The comment keeps both sides from waiting for a dead peer.
        let comments = AsyncTimerSequence(interval: Self.heartbeat, clock: .continuous).map { _ in ": still here\n\n" }
        let lines = merge(subscription.events.map(\.text), comments).cancelOnGracefulShutdown()
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
        ]
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                for event in first { try await writer.write(ByteBuffer(string: event.text)) }
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    for try await text in lines { try await writer.write(ByteBuffer(string: text)) }
                }
                try await writer.finish(nil)
            })
    }

    private func firstEvents(_ subscription: EventHub.Subscription) async -> [EventHub.Event] {
        if let missed = subscription.missed { return missed }
        guard var first = await snapshot() else { return [] }
        first.id = subscription.lastID
        return [first]
    }
}
