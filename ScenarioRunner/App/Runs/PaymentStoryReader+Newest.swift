import Shared

extension PaymentStoryReader {
    /// How far back is looked, each time when the time before it had too few. The ids of payments sort by time, so
    /// that the books can be read from any moment on.
    private static let spans: [Duration] = [.seconds(2), .seconds(20), .seconds(200), .seconds(2000), .seconds(86_400)]
    /// Pages of the books that are read at most: thousands of payments in two seconds show only the first of them.
    private static let maxPages = 5
    private static let pageSize = 200
    private static let members = [
        "payment_id", "status", "amount_minor", "currency", "refunded_minor", "decline_code", "created_at",
    ]

    /// The newest payments, newest first.
    ///
    /// - Throws: ``LabError`` when the payment service does not tell.
    func newest(_ limit: Int, before now: UnixTime) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        for span in Self.spans {
            found = try await payments(since: now.milliseconds - span.nanoseconds / 1_000_000)
            if found.count >= limit { break }
        }
        return found.suffix(limit).reversed().map { payment in
            JSONValue.object(Dictionary(uniqueKeysWithValues: Self.members.map { ($0, payment[$0] ?? .null) }))
                .withExponent
        }
    }

    private func payments(since milliseconds: Int64) async throws -> [JSONValue] {
        // The first ten characters after the prefix are the time, and nothing sorts before them.
        var cursor = String(Identifier.make(prefix: "PAY", milliseconds: milliseconds).prefix("PAY-".count + 10))
        var found: [JSONValue] = []
        for _ in 0..<Self.maxPages {
            let path = "/payment/audit?limit=\(Self.pageSize)&after=\(URLEscape.pathSegment(cursor))"
            let page = try await document(path, of: cursor)
            guard case .array(let payments) = page["payments"] else {
                throw LabError("the books of the payment service cannot be read")
            }
            found += payments
            // A page without payments is one of charges: all payments were read.
            guard !payments.isEmpty, case .string(let next) = page["next"] else { break }
            cursor = next
        }
        return found
    }
}
