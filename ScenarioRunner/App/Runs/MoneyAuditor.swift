import Foundation
import Shared
import Verdict

/// Waits until the system has settled, reads the books of its services, and compares them.
///
/// ```
///   load has ended --> settle: /payment/audit until nothing is open (30 s at most)
///                  --> /audit (inventory), /audit (notification) --> MoneyBooks
///                  --> /payment/audit + history ------------------> MoneyChecker --> MoneyCheck
/// ```
///
/// What is still open after the wait is a violation, not an excuse. Books that cannot be read make a check that says
/// so: it never passes for a right one.
struct MoneyAuditor: Sendable {
    let client: HTTPClient
    let paymentURL: String
    let inventoryURL: String
    let notificationURL: String
    /// Every payment is to be final this long after the load has ended.
    var settleTime = Duration.seconds(30)

    /// Of everything, the wait included: books of a million payments are read in less.
    static let totalTime = Duration.seconds(180)
    private static let pollInterval = Duration.milliseconds(250)

    /// - Parameter stop: ends the check early, which is then not made.
    func check(history: [PaymentOperation], unless stop: Latch = Latch()) async -> MoneyCheck {
        await withTaskGroup(of: MoneyCheck.self) { group in
            group.addTask { await compare(history) }
            group.addTask {
                let stopped = await stop.wait(until: .now + Self.totalTime)
                return MoneyCheck(
                    notChecked: stopped
                        ? "the run was stopped" : "the books were not read within \(Self.totalTime.seconds) s")
            }
            let check = await group.next() ?? MoneyCheck(notChecked: "the check did not start")
            group.cancelAll()
            return check
        }
    }

    /// A look at the books while the system works: only what must hold at every moment.
    ///
    /// - Returns: whether it does; nil when the books could not be read.
    func glance() async -> Bool? {
        do {
            let check = try await read(history: [], settledBefore: UnixTime(milliseconds: 0))
            return check.violationCount == 0
        } catch {
            return nil
        }
    }

    private func compare(_ history: [PaymentOperation]) async -> MoneyCheck {
        // What is made from here on may be under way when its page is read.
        let start = UnixTime.now
        do {
            try await settle(before: start)
            return try await read(history: history, settledBefore: start)
        } catch {
            return MoneyCheck(notChecked: "\(error)")
        }
    }

    private func read(history: [PaymentOperation], settledBefore start: UnixTime) async throws -> MoneyCheck {
        var books = MoneyBooks()
        try await pages(inventory) { try books.add($0) }
        try await pages(notifications) { try books.add($0) }
        var checker = MoneyChecker(history: history, books: books, settledBefore: start)
        try await pages(payments) { checker.add($0) }
        return checker.finish()
    }

    /// Returns when no payment made before `start` is open, or when the time for it is over.
    ///
    /// A page that has settled is not read again: the time is linear in the payments however long the wait is.
    ///
    /// - Returns: whether all have settled.
    @discardableResult
    func settle(before start: UnixTime) async throws -> Bool {
        let deadline = ContinuousClock.now + settleTime
        var cursor: String?
        while true {
            let page = try await payments.page(after: cursor, client)
            if page.payments.contains(where: { $0.isOpen(since: start) }) {
                guard ContinuousClock.now < deadline else { return false }
                try await Task.sleep(for: Self.pollInterval)
            } else {
                // A page without payments is one of charges: all payments were read.
                guard let next = page.next, !page.payments.isEmpty else { return true }
                cursor = try payments.following(cursor, next)
            }
        }
    }

    private func pages<Page>(_ audit: Audit<Page>, _ add: (Page) throws -> Void) async throws {
        var cursor: String?
        while true {
            let page = try await audit.page(after: cursor, client)
            try add(page)
            guard let next = page.next else { return }
            cursor = try audit.following(cursor, next)
        }
    }

    private var payments: Audit<PaymentAuditPage> { .init(service: "payment", url: "\(paymentURL)/payment/audit") }
    private var inventory: Audit<InventoryAuditPage> { .init(service: "inventory", url: "\(inventoryURL)/audit") }
    private var notifications: Audit<NotificationAuditPage> {
        .init(service: "notification", url: "\(notificationURL)/audit")
    }
}

/// A page that says where the next one begins.
private protocol AuditPage: Decodable, Sendable {
    var next: String? { get }
}
extension PaymentAuditPage: AuditPage {}
extension InventoryAuditPage: AuditPage {}
extension NotificationAuditPage: AuditPage {}

/// One service's books.
private struct Audit<Page: AuditPage>: Sendable {
    let service: String
    let url: String

    /// The most that a service gives at a time.
    private static var pageSize: Int { 500 }
    /// A payment of a page has a few hundred bytes, and a few thousand when it was refunded often.
    private static var maximumBytes: Int { 16 * 1024 * 1024 }
    private static var timeout: Duration { .seconds(10) }
    /// Tries of one page: a fault that has just gone may still have broken a connection.
    private static var tries: Int { 3 }

    func page(after cursor: String?, _ client: HTTPClient) async throws -> Page {
        let query = "?limit=\(Self.pageSize)" + (cursor.map { "&after=\(URLEscape.pathSegment($0))" } ?? "")
        let request = HTTPClientRequest(
            url: url + query, timeout: Self.timeout, maxResponseBytes: Self.maximumBytes)
        for _ in 1..<Self.tries {
            if let answer = try await answer(to: request, client), answer.status < 500 { return try read(answer) }
            try await Task.sleep(for: .milliseconds(200))
        }
        guard let answer = try await answer(to: request, client) else {
            throw AuditError("the audit of the \(service) service does not answer")
        }
        return try read(answer)
    }

    /// Nil when none came.
    private func answer(to request: HTTPClientRequest, _ client: HTTPClient) async throws -> HTTPClientResponse? {
        do {
            return try await client.execute(request)
        } catch is HTTPClientError {
            return nil
        }
    }

    private func read(_ answer: HTTPClientResponse) throws -> Page {
        switch answer.status {
        case 200: break
        case 404: throw AuditError("the \(service) service has no audit")
        default: throw AuditError("the audit of the \(service) service answered \(answer.status)")
        }
        do {
            return try answer.decode(Page.self)
        } catch {
            throw AuditError("the audit of the \(service) service cannot be read: \(error)")
        }
    }

    /// The next cursor; a book that turns in a circle has no end.
    func following(_ cursor: String?, _ next: String) throws -> String {
        guard next != cursor else { throw AuditError("the audit of the \(service) service turns in a circle") }
        return next
    }
}

/// Why the books cannot be compared, in words for the verdict's reasons.
private struct AuditError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
