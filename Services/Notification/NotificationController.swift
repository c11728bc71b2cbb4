import HTTPTypes
import Hummingbird
import Shared

/// The endpoints of the notification service.
struct NotificationController: Sendable {
    let store: NotificationStore

    var routes: [Route] {
        [
            .post("/send", send),
            .get("/history", history),
            .get("/status/{id}", status),
            .get("/audit", audit),
        ]
    }

    @Sendable private func send(_ request: Request, _ context: AppContext) async throws -> Response {
        try .json(NotificationAnswer(try await store.send(request.json())))
    }

    @Sendable private func history(_ request: Request, _ context: AppContext) async throws -> Response {
        let limit = try request.queryInteger("limit", in: 1...500, default: 50)
        let before = try request.queryInteger("before", in: 1...Int.max, default: Int.max)
        let (page, total) = try await store.history(limit: limit, before: Int64(before))
        return try .json(HistoryAnswer(page: page, totalCount: total))
    }

    @Sendable private func status(_ request: Request, _ context: AppContext) async throws -> Response {
        let id = context.possibleID("id")
        guard let id, let notification = try await store.notification(id: id) else {
            return try notFound(id ?? context.rawPathParameter("id"), request)
        }
        return try .json(NotificationAnswer(notification))
    }

    /// Clients of the old system read `status: "not_found"`, so here the member is not the number that it is in
    /// every other problem; RFC 9457 (3.1) has readers ignore a member of the wrong type.
    private func notFound(_ id: String, _ request: Request) throws -> Response {
        let problem = Problem.notFound("There is no such notification.").document(
            instance: CardNumbers.masked(path: request.uri.path))
        guard case .object(var document) = problem else { return Response(status: .notFound) }
        document["id"] = .string(id)
        document["status"] = .string("not_found")
        var response = try Response.json(JSONValue.object(document), status: .notFound)
        response.headers[.contentType] = "application/problem+json; charset=utf-8"
        return response
    }
}
