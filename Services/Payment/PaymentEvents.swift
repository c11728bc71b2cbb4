import Shared

/// One thing that happened to a payment: a change of status, a call to another service, an attempt.
struct PaymentEvent: Sendable, Equatable {
    /// `status`, or who was called: `inventory`, `gateway`, `notification`.
    let name: String
    let detail: String
    /// The failure mode that caused it, if one did.
    var scenario: String?
    /// How long the call took.
    var latency: Duration?

    static func status(_ status: Payment.Status, scenario: String? = nil) -> PaymentEvent {
        PaymentEvent(name: "status", detail: status.rawValue, scenario: scenario)
    }
}

/// An event with its place in the history.
struct RecordedEvent: Sendable {
    let number: Int
    let event: PaymentEvent
    let replica: String
    let createdAt: UnixTime

    var document: JSONValue {
        var members: [String: JSONValue] = [
            "number": .integer(Int64(number)), "name": .string(event.name), "detail": .string(event.detail),
            "replica": .string(replica), "timestamp": .decimal(createdAt.decimalSeconds),
        ]
        members["scenario"] = event.scenario.map(JSONValue.string)
        members["latency_ms"] = event.latency.map(JSONValue.milliseconds)
        return .object(members)
    }
}

extension PaymentStore {
    /// The most events of one payment that an answer has.
    static let maxEvents = 1000

    /// What happened to a payment, oldest first; empty when there is no such payment.
    func events(of id: String) async throws -> [RecordedEvent] {
        try await database.read { connection in
            try connection.query(
                "SELECT * FROM payment_event WHERE payment_id = $1 ORDER BY number LIMIT $2",
                [.text(id), .integer(Self.maxEvents)]
            ).map(RecordedEvent.init)
        }
    }

    func append(
        _ events: [PaymentEvent], to id: String, at now: UnixTime, on connection: any SQLConnection
    ) throws {
        for event in events {
            try connection.execute(
                """
                INSERT INTO payment_event (payment_id, number, name, detail, scenario, latency_us, replica, created_at)
                SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7
                FROM payment_event WHERE payment_id = $1
                """,
                [
                    .text(id), .text(event.name), .text(event.detail), .optional(event.scenario),
                    .optional(event.latency.map { $0.nanoseconds / 1000 }), .text(replica), .integer(now.milliseconds),
                ])
        }
    }
}

extension RecordedEvent {
    fileprivate init(_ row: SQLRow) throws {
        self.init(
            number: try row.int("number"),
            event: PaymentEvent(
                name: try row.text("name"), detail: try row.text("detail"),
                scenario: try row.optionalText("scenario"),
                latency: try row.optionalInteger("latency_us").map(Duration.microseconds)),
            replica: try row.text("replica"), createdAt: UnixTime(milliseconds: try row.integer("created_at")))
    }
}
