import Foundation
import HTTPTypes
import Hummingbird
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// The auditor reads the books of services over real sockets; their answers are made up.
@Suite(.timeLimit(.minutes(1))) struct MoneyAuditorTests {
    @Test func readsEveryPageAndFindsTheBooksRight() async throws {
        let books = FakeBooks(payments: (1...3).map { [FakeBooks.payment("PAY-\($0)")] })
        let history = (1...3).map { PaymentOperation(idempotencyKey: nil, paymentID: "PAY-\($0)", outcome: .ok) }
        let check = try await audit(books, history: history)
        #expect(check == MoneyCheck(checked: 3))
        // An id may hold what means something in a query.
        #expect(books.asked.contains { $0 == "limit=500&after=PAY-1%26x" })
    }

    @Test func namesWhatIsWrong() async throws {
        let books = FakeBooks(payments: [[FakeBooks.payment("PAY-1"), FakeBooks.payment("PAY-2", isNotified: false)]])
        let lost = PaymentOperation(idempotencyKey: "k", paymentID: "PAY-9", outcome: .ok)
        let check = try await audit(books, history: [lost])
        #expect(check.violations.map(\.rule) == [.successIsComplete, .successIsComplete])
        #expect(check.violations.map(\.paymentID) == ["PAY-2", "PAY-9"])
    }

    @Test func findsAChargeOfNothingOnAPageAfterThePayments() async throws {
        let books = FakeBooks(payments: [[FakeBooks.payment("PAY-1")], [], []])
        books.tellOrphan(onPage: 2)
        let check = try await audit(books)
        #expect(check.violations.map(\.paymentID) == ["PAY-0"] && check.checked == 1)
        // Who waits for payments to settle has no need of the charges: two pages, then all three.
        #expect(books.asked.count == 5)
    }

    @Test func waitsUntilWhatIsOpenHasSettled() async throws {
        let books = FakeBooks(payments: [[FakeBooks.payment("PAY-1", status: "processing")]])
        books.afterReading(times: 3) { $0.payments = [[FakeBooks.payment("PAY-1")]] }
        #expect(try await audit(books) == MoneyCheck(checked: 1))
    }

    @Test func whatStaysOpenIsAViolation() async throws {
        let books = FakeBooks(payments: [[FakeBooks.payment("PAY-1", status: "processing")]])
        let check = try await audit(books, settleTime: .milliseconds(1))
        #expect(check.violations.map(\.rule) == [.unknownIsSettled])
        // One that began after the check is none of its business.
        let late = FakeBooks(payments: [[FakeBooks.payment("PAY-1", status: "processing", createdAt: 4e9)]])
        #expect(try await audit(late) == MoneyCheck(checked: 1))
    }

    @Test func aCheckThatCannotBeMadeSaysWhy() async throws {
        let missing = FakeBooks(payments: [])
        missing.answer(with: .notFound)
        #expect(try await audit(missing).notChecked == "the payment service has no audit")
        let broken = FakeBooks(payments: [])
        broken.answer(with: .internalServerError)
        #expect(try await audit(broken).notChecked == "the audit of the payment service answered 500")
        #expect(broken.asked.count == 3)
        let unreadable = FakeBooks(payments: [[#"{"payment_id":"PAY-1"}"#]])
        #expect(try await audit(unreadable).notChecked?.contains("cannot be read") == true)
        let client = HTTPClient()
        let nobody = MoneyAuditor(
            client: client, paymentURL: "http://127.0.0.1:1", inventoryURL: "http://127.0.0.1:1",
            notificationURL: "http://127.0.0.1:1")
        let check = await nobody.check(history: [])
        #expect(check.notChecked == "the audit of the payment service does not answer")
        await client.shutdown()
    }

    @Test func aStoppedRunIsNotWaitedFor() async throws {
        let books = FakeBooks(payments: [[FakeBooks.payment("PAY-1", status: "pending")]])
        let stop = Latch()
        books.afterReading(times: 2) { _ in stop.open() }
        #expect(try await audit(books, unless: stop).notChecked == "the run was stopped")
    }

    @Test func theCommandShowsTheHistoryOfEachViolation() {
        let violation = MoneyViolation(rule: .oneCharge, paymentID: "PAY-1", text: "twice", history: ["client: x"])
        #expect(
            CheckCommand.text(MoneyCheck(violations: [violation], checked: 2)) == """
                the money is wrong: 1 violations in 2 payments
                (b) at most one charge: PAY-1: twice
                    client: x
                """)
        #expect(CheckCommand.text(MoneyCheck(checked: 2)) == "the money is right: 2 payments checked")
        #expect(CheckCommand.text(MoneyCheck(notChecked: "why")) == "not checked: why")
        let many = MoneyCheck(violations: Array(repeating: violation, count: 103), checked: 200)
        #expect(CheckCommand.text(many).hasSuffix("and 3 more"))
    }

    private func audit(
        _ books: FakeBooks, history: [PaymentOperation] = [], settleTime: Duration = .seconds(30),
        unless stop: Latch = Latch()
    ) async throws -> MoneyCheck {
        try await withServer(routes: books.routes) { server in
            let client = HTTPClient()
            let url = "http://127.0.0.1:\(server.port)"
            let auditor = MoneyAuditor(
                client: client, paymentURL: url, inventoryURL: "\(url)/inventory",
                notificationURL: "\(url)/notification", settleTime: settleTime)
            let check = await auditor.check(history: history, unless: stop)
            await client.shutdown()
            return check
        }
    }
}

/// Three services that tell made-up books.
private final class FakeBooks: Sendable {
    struct State {
        /// Payments as JSON, page by page.
        var payments: [[String]]
        /// The page that tells of a charge without payment.
        var orphanPage: Int?
        var status = HTTPResponse.Status.ok
        var asked: [String] = []
        var change: (times: Int, to: @Sendable (inout State) -> Void)?
    }
    private let state: Mutex<State>

    init(payments: [[String]]) { state = Mutex(State(payments: payments)) }

    /// The queries of the payment audit.
    var asked: [String] { state.withLock { $0.asked } }

    func answer(with status: HTTPResponse.Status) { state.withLock { $0.status = status } }

    func tellOrphan(onPage page: Int) { state.withLock { $0.orphanPage = page } }

    func afterReading(times: Int, _ change: @escaping @Sendable (inout State) -> Void) {
        state.withLock { $0.change = (times, change) }
    }

    /// A payment that is complete unless told otherwise.
    static func payment(
        _ id: String, status: String = "completed", isNotified: Bool = true, createdAt: Double = 1
    ) -> String {
        let entry = #""transaction_id":"T","kind":"capture","currency":"USD""#
        return """
            {"payment_id":"\(id)","status":"\(status)","amount_minor":1999,"currency":"USD","refunded_minor":0,
            "idempotency_key":null,"created_at":\(createdAt),"updated_at":\(createdAt),"refunds":[],
            "ledger":[{\(entry),"account":"gateway_receivable","amount_minor":1999},
                {\(entry),"account":"sales","amount_minor":-1999}],
            "charges":[{"charge_id":"CH","payment_id":"\(id)","idempotency_key":null,"amount_minor":1999,
                "currency":"USD","state":"approved","refunded_minor":0}],
            "outbox":[{"kind":"notification","key":"\(!isNotified ? "nobody" : id == "PAY-2" ? "two" : id)","state":"done"}]}
            """
    }

    var routes: [Route] {
        [
            .get("/payment/audit") { [self] request, _ in paymentPage(request) },
            .get("/inventory/audit") { _, _ in
                let reservations = (1...3).map {
                    #"{"reservation_id":"R\#($0)","key":"PAY-\#($0)","state":"confirmed"}"#
                }
                return Self.json(
                    """
                    {"totals":[{"product_id":"1","initial":5,"restocked":0,"on_hand":2,"reserved":0,"sold":3}],
                    "reservations":[\(reservations.joined(separator: ","))],"next":null}
                    """)
            },
            .get("/notification/audit") { request, _ in
                // Two pages; the second payment's message has a key of its own.
                request.queryParameter("after") == nil
                    ? Self.json(#"{"notifications":[{"id":"N1","key":"PAY-1"}],"next":"1"}"#)
                    : Self.json(
                        #"{"notifications":[{"id":"N2","key":"two"},{"id":"N3","key":"PAY-3"},"#
                            + #"{"id":"N0","key":null}],"next":null}"#)
            },
        ]
    }

    private func paymentPage(_ request: Request) -> Response {
        state.withLock { state in
            state.asked.append(request.uri.query ?? "")
            guard state.status == .ok else { return Response(status: state.status) }
            let cursors = state.payments.indices.map { "PAY-\($0)&x" }
            let index = request.queryParameter("after").flatMap { cursors.firstIndex(of: $0) } ?? 0
            let page = state.payments.isEmpty ? [] : state.payments[index]
            let next = index + 1 < state.payments.count ? #""\#(cursors[index + 1])""# : "null"
            if let change = state.change, state.asked.count == change.times {
                state.change = nil
                change.to(&state)
            }
            let orphan =
                #"{"charge_id":"CH","payment_id":"PAY-0","idempotency_key":null,"amount_minor":1,"currency":"USD","#
                + #""state":"approved","refunded_minor":0}"#
            let orphans = state.orphanPage == index ? orphan : ""
            return Self.json(
                #"{"payments":[\#(page.joined(separator: ","))],"charges_without_payment":[\#(orphans)],"next":\#(next)}"#
            )
        }
    }

    private static func json(_ text: String) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: text)))
    }
}
