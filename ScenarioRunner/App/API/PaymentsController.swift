import Hummingbird
import Shared

/// What became of single payments: the newest ones, and the story of each.
struct PaymentsController: Sendable {
    let reader: PaymentStoryReader

    static let limits = 1...100
    static let defaultLimit = 20

    var routes: [Route] {
        [
            .get("/api/payments", newest),
            .get("/api/payments/{id}") { _, context in
                let id = try context.pathParameter("id")
                return try .json(try await told { try await reader.read(id) })
            },
        ]
    }

    private func newest(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let limit = query.optionalInteger("limit", in: Self.limits) ?? Self.defaultLimit
        try query.finish()
        let payments = try await told { try await reader.newest(limit, before: .now) }
        return try .json(["payments": JSONValue.array(payments)])
    }

    /// The reader's errors as answers: 404 for a payment that is not there, 502 for a service that does not tell.
    private func told<Value: Sendable>(_ read: () async throws -> Value) async throws -> Value {
        do {
            return try await read()
        } catch let refused as RefusedRequest {
            throw Problem.notFound("\(refused)".capitalizedSentence)
        } catch let error as LabError {
            throw Problem(.badGateway, "\(error)".capitalizedSentence)
        }
    }
}

extension String {
    /// `there is no ...` as `There is no ....`: errors of the command line begin after a colon.
    fileprivate var capitalizedSentence: String {
        prefix(1).uppercased() + dropFirst() + (hasSuffix("?") || hasSuffix(".") ? "" : ".")
    }
}
