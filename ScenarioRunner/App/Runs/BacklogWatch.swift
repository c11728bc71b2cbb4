import Foundation
import Shared

/// How much work waits in the system at one moment.
struct BacklogGlance: Decodable, Sendable, Equatable {
    /// Payments whose outcome is not known yet.
    let pendingPayments: Int
    /// What settled payments still owe others.
    let outbox: Int

    enum CodingKeys: String, CodingKey {
        case outbox
        case pendingPayments = "pending_payments"
    }
}

/// Asks the payment service what is waiting: two counts over what is open, however long the books are.
struct BacklogProbe: Sendable {
    let client: HTTPClient
    let paymentURL: String

    /// A look that takes longer is none: the next one is due.
    private static let timeout = Duration.seconds(1)

    func glance() async -> BacklogGlance? {
        let request = HTTPClientRequest(url: "\(paymentURL)/payment/backlog", timeout: Self.timeout)
        guard let answer = try? await client.execute(request), answer.status == 200 else { return nil }
        return try? answer.decode(BacklogGlance.self)
    }
}

/// Looks at the backlog of a run once a second, from its first phase until its books are settled.
struct BacklogWatch: Sendable {
    let recorder: RunRecorder
    let glance: @Sendable () async -> BacklogGlance?

    private static let period = Duration.seconds(1)

    /// Watches while `body` runs.
    func watching(_ body: @escaping @Sendable () async -> Void) async {
        let end = Latch()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while await !end.wait(until: .now + Self.period) {
                    if let glance = await glance() { recorder.add(glance) }
                }
            }
            await body()
            end.open()
        }
    }
}
