import Shared
import Testing

@testable import Gateway

@Suite("The gateway's books")
struct GatewayBooksTests {
    private func timeout(_ phase: GatewayTimeoutPhase) -> FailureModes {
        var modes = FailureModes()
        (modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability) = (true, 100)
        (modes.gatewayTimeoutDelay, modes.gatewayTimeoutPhase) = (1, phase)
        return modes
    }

    private func usd(_ minorUnits: Int64) -> Money { Money(minorUnits: minorUnits, currency: .usd) }

    @Test("have one charge a payment, however many ask at once, and give the first answer again")
    func once() async throws {
        try await withAcquirer { acquirer in
            let results = try await withThrowingTaskGroup(of: ChargeResult.self) { group in
                for _ in 0..<16 { group.addTask { try await acquirer.authorise(.sample(key: "k")) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.allSatisfy { $0 == ChargeResult(.approved) })
            let declining = try #require(Card(number: TestCard.genericDecline.rawValue))
            let again = try await acquirer.authorise(.sample("PAY-1", PaymentInstrument(declining)))
            #expect(again == ChargeResult(.approved))
            let charges = try await acquirer.charges(afterPayment: "", limit: 10)
            #expect(charges.count == 1 && charges.first?.idempotencyKey == "k")
            #expect(charges.first?.amount == usd(1999) && charges.first?.state == .approved)
        }
    }

    @Test("know of a charge whose answer was lost, and of none that was never made")
    func phases() async throws {
        let soon = RequestDeadline(after: .milliseconds(20))
        for phase in GatewayTimeoutPhase.allCases {
            try await withAcquirer(timeout(phase)) { acquirer in
                let result = try await RequestDeadline.$current.withValue(soon) {
                    try await acquirer.authorise(.sample())
                }
                #expect(result.scenario == .gatewayTimeout)
                #expect(result.outcome == (phase == .responseLost ? .approved : .noAnswer))
                #expect((result.lostAnswerDelay != nil) == (phase == .responseLost))
                let charge = try await acquirer.charge(of: "PAY-1")
                #expect(charge?.state == (phase == .beforeCharge ? nil : .approved), "\(phase)")
            }
        }
    }

    @Test("are closed for a payment once somebody was told that it has no charge")
    func closed() async throws {
        try await withAcquirer { (acquirer) async throws -> Void in
            #expect(try await acquirer.charge(of: "PAY-1") == nil)
            #expect(try await acquirer.authorise(.sample()) == ChargeResult(.closed))
            #expect(try await acquirer.charge(of: "PAY-1") == nil)
            #expect(try await acquirer.charges(afterPayment: "", limit: 10).isEmpty)
            #expect(try await acquirer.charges(ofPayments: ["PAY-1"]).isEmpty)
            #expect(try await acquirer.refund("REF-1", of: "PAY-1", amount: usd(1)) == false)
        }
    }

    @Test("give a refund once, and never more than was charged")
    func refunds() async throws {
        try await withAcquirer { acquirer in
            _ = try await acquirer.authorise(.sample())
            for _ in 0..<3 { #expect(try await acquirer.refund("REF-1", of: "PAY-1", amount: usd(1000))) }
            #expect(try await acquirer.refund("REF-2", of: "PAY-1", amount: usd(1000)) == false)
            #expect(try await acquirer.refund("REF-3", of: "PAY-1", amount: usd(999)))
            #expect(try await acquirer.refund("REF-4", of: "PAY-0", amount: usd(1)) == false)
            let yen = Money(minorUnits: 1, currency: try #require(Currency(code: "JPY")))
            #expect(try await acquirer.refund("REF-5", of: "PAY-1", amount: yen) == false)
            #expect(try await acquirer.charges(ofPayments: ["PAY-1"]).first?.refundedMinorUnits == 1999)
        }
    }

    @Test("are read in pages in the order of the payments")
    func pages() async throws {
        try await withAcquirer { acquirer in
            for number in [3, 1, 5, 2, 4] { _ = try await acquirer.authorise(.sample("PAY-\(number)")) }
            let first = try await acquirer.charges(afterPayment: "", limit: 2)
            #expect(first.map(\.paymentID) == ["PAY-1", "PAY-2"])
            let rest = try await acquirer.charges(afterPayment: "PAY-2", limit: 9)
            #expect(rest.map(\.paymentID) == ["PAY-3", "PAY-4", "PAY-5"])
        }
    }
}
