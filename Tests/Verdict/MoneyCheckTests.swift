import Experiments
import Foundation
import Shared
import Testing

@testable import Verdict

/// The check finds each of the bugs that payment systems have, by name, and nothing where there is none.
@Suite struct MoneyCheckTests {
    /// A few payments of each kind.
    private var clean: SyntheticBooks {
        var books = SyntheticBooks()
        for number in 1...12 { books.pay("PAY-\(number)") }
        books.pay("PAY-D", .declined, told: .declined)
        books.pay("PAY-F", .failed, told: .failed)
        books.pay("PAY-R", .refunded, refunds: [500, 1499])
        books.pay("PAY-P", .partiallyRefunded, refunds: [1])
        books.pay("PAY-U", told: .unknown, knowsID: false)
        books.pay("PAY-UD", .declined, told: .unknown)
        books.pay("PAY-X", told: nil)
        books.history.append(.init(idempotencyKey: "lost", paymentID: nil, outcome: .unknown))
        return books
    }

    private func rules(_ check: MoneyCheck) -> [MoneyViolation.Rule] { check.violations.map(\.rule) }

    @Test func aCleanBookHasNoViolations() throws {
        let check = try clean.check()
        #expect(check.violations == [])
        #expect(check.checked == 19 && check.violationCount == 0 && check.notChecked == nil)
    }

    // MARK: The seven bugs

    @Test func idempotencyIgnored() throws {
        var books = clean
        // The second try became a payment of its own.
        books.pay("PAY-1b", told: nil)
        books.payments[books.payments.count - 1].idempotencyKey = nil
        books.payments[books.payments.count - 1].charges[0].idempotencyKey = "key-PAY-1"
        let check = try books.check()
        #expect(rules(check) == [.oneCharge])
        #expect(check.violations.first?.paymentID == "PAY-1b")
        // Both were acknowledged to the client: that alone gives it away.
        books.history.append(.init(idempotencyKey: "key-PAY-1", paymentID: "PAY-1b", outcome: .ok))
        #expect(rules(try books.check()) == [.oneCharge, .oneCharge])
    }

    @Test func acknowledgementBeforeTheCommit() throws {
        var books = clean
        books.history.append(.init(idempotencyKey: "k", paymentID: "PAY-lost", outcome: .ok))
        let check = try books.check()
        #expect(rules(check) == [.successIsComplete])
        #expect(check.violations.first?.paymentID == "PAY-lost")
        #expect(check.violations.first?.history == ["client: invoked with key k, answered ok, PAY-lost"])
        // The gateway charged it all the same.
        books.orphans = [books.charge("PAY-lost")]
        #expect(Set(rules(try books.check())) == [.successIsComplete, .failureLeavesNothing])
    }

    @Test func refundTwice() throws {
        var books = SyntheticBooks()
        books.pay("PAY-1", .refunded, refunds: [1999, 1999])
        #expect(rules(try books.check()) == [.refundsWithinCaptures])
        // Twice at the gateway, once in the books, and together still less than the charge.
        var part = SyntheticBooks()
        part.pay("PAY-2", .partiallyRefunded, refunds: [500])
        part.payments[0].charges[0].refundedMinor = 1000
        let check = try part.check()
        #expect(rules(check) == [.refundsWithinCaptures])
        #expect(check.violations.first?.text.contains("refunds 500, payment 500, ledger 500, gateway 1000") == true)
    }

    @Test func aRefundUnderWay() throws {
        var books = SyntheticBooks()
        books.pay("PAY-1", .partiallyRefunded, refunds: [500])
        let pending = AuditedPayment.Refund(
            refundID: "REF-2", amountMinor: 1499, state: .pending, createdAt: UnixTime(milliseconds: 3000))
        books.payments[0].refunds.append(pending)
        let before = UnixTime(milliseconds: 2999)
        #expect(!books.payments[0].isOpen(since: before) && books.payments[0].isOpen(since: pending.createdAt))
        // Whether the gateway has given it already or not, no book is wrong yet.
        for given: Int64 in [500, 1999] {
            books.payments[0].charges[0].refundedMinor = given
            #expect(try books.check(settledBefore: before).violations == [])
            let late = try books.check(settledBefore: pending.createdAt)
            #expect(late.violations.map(\.text) == ["a refund is still pending"])
        }
        // More was set aside than is there.
        books.payments[0].refunds[1].amountMinor = 1500
        #expect(rules(try books.check(settledBefore: before)) == [.refundsWithinCaptures])
    }

    @Test(arguments: ["confirm", "release"]) func aMessageToTheInventoryStillWaits(kind: String) throws {
        var books = clean
        let id = kind == "confirm" ? "PAY-1" : "PAY-D"
        let index = try #require(books.payments.firstIndex { $0.paymentID == id })
        books.payments[index].outbox = [.init(kind: kind, key: id, state: .waiting)]
        #expect(books.payments[index].isOpen(since: UnixTime(milliseconds: 1000)))
        #expect(!books.payments[index].isOpen(since: UnixTime(milliseconds: 999)))
        let check = try books.check()
        #expect(check.violations.map(\.text) == ["a message still waits"])
        #expect(check.violations.first?.paymentID == id)
    }

    @Test func centsByFloatingPoint() throws {
        var books = clean
        // int(19.99 * 100) is 1998 for one side of the entry.
        books.payments[3].ledger[1].amountMinor = -1998
        let check = try books.check()
        #expect(rules(check).first == .ledgerBalances)
        #expect(check.violations.first?.paymentID == "PAY-4")
        #expect(check.violations.first?.text == "transaction CAP-PAY-4 sums to 1 minor units of USD, not to 0")
        // A wrong amount on both sides balances, and is not what was paid.
        var both = clean
        both.payments[3].ledger[0].amountMinor = 1998
        both.payments[3].ledger[1].amountMinor = -1998
        #expect(rules(try both.check()) == [.successIsComplete])
        // All books agree on 19.98, and the client wanted to pay 19.99.
        var wish = SyntheticBooks()
        wish.pay("PAY-1", amount: 1998)
        wish.history = [
            .init(
                idempotencyKey: nil, paymentID: "PAY-1", outcome: .ok,
                amount: Money(minorUnits: 1999, currency: .usd))
        ]
        let asked = try wish.check()
        #expect(rules(asked) == [.successIsComplete])
        #expect(asked.violations.first?.text == "its client wanted to pay 1999 minor units of USD")
    }

    @Test func compensationSkipped() throws {
        for state in [InventoryAuditPage.Reservation.State.reserved, .confirmed] {
            var books = clean
            let index = try #require(books.reservations.firstIndex { $0.key == "PAY-D" })
            books.reservations[index].state = state
            let check = try books.check()
            #expect(rules(check) == [.failureLeavesNothing])
            #expect(check.violations.first?.paymentID == "PAY-D")
        }
        var charged = clean
        let failed = try #require(charged.payments.firstIndex { $0.paymentID == "PAY-F" })
        charged.payments[failed].charges = [charged.charge("PAY-F")]
        #expect(rules(try charged.check()) == [.failureLeavesNothing])
        // Taken back in full, nothing is left standing.
        charged.payments[failed].charges[0].refundedMinor = 1999
        #expect(try charged.check().violations == [])
    }

    @Test func outboxOutsideTheTransaction() throws {
        var books = clean
        books.payments[5].outbox = []
        books.notifications.removeAll { $0.key == "PAY-6" }
        let check = try books.check()
        #expect(rules(check) == [.successIsComplete])
        #expect(check.violations.first?.text == "nobody was notified")
        // Sent twice is wrong as well.
        books = clean
        books.notifications.append(.init(id: "NOT-again", key: "PAY-6"))
        #expect(rules(try books.check()) == [.successIsComplete])
    }

    @Test func reconcilerChargesAgain() throws {
        var books = clean
        let index = try #require(books.payments.firstIndex { $0.paymentID == "PAY-U" })
        var second = books.charge("PAY-U")
        second.chargeID = "CH-second"
        books.payments[index].charges.append(second)
        let check = try books.check()
        #expect(rules(check) == [.oneCharge])
        #expect(check.violations.first?.text == "the gateway charged it 2 times")
        #expect(check.violations.first?.history.contains { $0.contains("CH-second") } == true)
    }

    // MARK: The other rules

    @Test func anUnknownOutcomeEndsAsOneOrTheOther() throws {
        var books = SyntheticBooks()
        books.pay("PAY-1", .processing, told: .unknown)
        books.pay("PAY-2", told: .unknown, knowsID: false)
        books.payments[1].ledger = []
        books.pay("PAY-3", .declined, told: .unknown)
        books.payments[2].charges = [books.charge("PAY-3")]
        let check = try books.check()
        #expect(rules(check) == [.unknownIsSettled, .unknownIsSettled, .unknownIsSettled])
        #expect(check.violations.map(\.paymentID) == ["PAY-1", "PAY-2", "PAY-3"])
        // What began after the load ended is none of the check's business yet.
        #expect(try books.check(settledBefore: UnixTime(milliseconds: 999)).violations == [])
    }

    @Test func whatTheClientWasToldIsWhatTheBooksSay() throws {
        var books = SyntheticBooks()
        books.pay("PAY-1", .declined, told: .ok)
        books.pay("PAY-2", told: .declined)
        books.pay("PAY-3", told: .failed, knowsID: false)
        let expected: [MoneyViolation.Rule] = [.successIsComplete, .failureLeavesNothing, .failureLeavesNothing]
        #expect(rules(try books.check()) == expected)
    }

    @Test func stockThatComesFromNowhere() throws {
        for change in [-1, 1] as [Int64] {
            var books = clean
            books.totals[0].onHand += change
            #expect(rules(try books.check()) == [.stockIsConserved])
        }
        var negative = clean
        negative.totals[0].reserved = -5
        negative.totals[0].onHand += 5
        #expect(rules(try negative.check()) == [.stockIsConserved])
    }

    @Test func amountsThatDoNotFitStopNothing() throws {
        var books = SyntheticBooks()
        books.pay("PAY-1")
        books.payments[0].ledger[0].amountMinor = .max
        books.payments[0].ledger.append(books.payments[0].ledger[0])
        books.payments[0].charges[0].refundedMinor = .max
        books.totals[0].restocked = .max
        #expect(Set(rules(try books.check())).isSuperset(of: [.ledgerBalances, .stockIsConserved]))
    }

    // MARK: Size

    @Test func correctHistoriesHaveNoViolations() throws {
        for seed in 0..<40 as Range<UInt64> {
            let books = SyntheticBooks.random(200, seed: seed)
            let check = try books.check()
            #expect(check.violations.map(\.line) == [], "seed \(seed)")
            #expect(check.checked == 200)
        }
    }

    @Test func theWorkGrowsAsTheHistory() throws {
        func steps(_ count: Int) throws -> Int {
            var books = SyntheticBooks()
            for number in 0..<count { books.pay("PAY-\(number)") }
            var checker = try books.checker()
            _ = checker.finish()
            // The line of the stock's total is there however many payments there are.
            return checker.steps - 1
        }
        let (few, many) = (try steps(500), try steps(4000))
        #expect(few > 500 && many == 8 * few)
    }

    @Test func manyViolationsAreCountedAndAFewAreShown() throws {
        var books = SyntheticBooks()
        for number in 0..<250 { books.pay("PAY-\(number)") }
        books.notifications = []
        let check = try books.check()
        #expect(check.violationCount == 250 && check.violations.count == 100)
    }

    @Test func theBooksHaveALimit() throws {
        var books = MoneyBooks(maximumKeys: 2)
        let page = NotificationAuditPage(
            notifications: (1...3).map { .init(id: "\($0)", key: "k\($0)") }, next: nil)
        #expect(throws: MoneyBooks.TooLarge.self) { try books.add(page) }
    }
}
