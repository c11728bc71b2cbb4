import Shared
import Testing

@testable import Gateway

@Suite("The simulated acquirer")
struct SimulatedAcquirerTests {
    private static let everything: FailureModes = {
        var modes = FailureModes()
        (modes.stolenCardEnabled, modes.stolenCardProbability) = (true, 100)
        (modes.cardDeclineEnabled, modes.cardDeclineProbability) = (true, 100)
        (modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability) = (true, 100)
        return modes
    }()

    private func authorise(
        _ modes: FailureModes, seed: UInt64 = 1, id: String = "PAY-1", key: String? = nil,
        _ instrument: PaymentInstrument = .unnamed
    ) async throws -> ChargeResult {
        try await withAcquirer(modes, seed: seed) { acquirer in
            try await acquirer.authorise(.sample(id, key: key, instrument))
        }
    }

    @Test("approves when nothing is switched on, whatever the probabilities say")
    func off() async throws {
        var modes = Self.everything
        (modes.stolenCardEnabled, modes.cardDeclineEnabled, modes.gatewayTimeoutEnabled) = (false, false, false)
        #expect(try await authorise(modes) == ChargeResult(.approved))
    }

    @Test("answers test cards alike in any weather", arguments: TestCard.allCases, [FailureModes.off, everything])
    func testCards(card: TestCard, modes: FailureModes) async throws {
        let number = try #require(Card(number: card.rawValue))
        let expected = card.declineCode.map(ChargeResult.Outcome.declined) ?? .approved
        #expect(try await authorise(modes, PaymentInstrument(number)) == ChargeResult(expected))
    }

    @Test("draws stolen before declined before silent, and names the one that hit")
    func order() async throws {
        var modes = Self.everything
        #expect(try await authorise(modes) == ChargeResult(.declined(.stolenCard), scenario: .stolenCard))
        modes.stolenCardEnabled = false
        #expect(try await authorise(modes) == ChargeResult(.declined(.genericDecline), scenario: .cardDecline))
        let other = try #require(Card(number: "5555 5555 5555 4444"))
        #expect(
            try await authorise(modes, PaymentInstrument(other))
                == ChargeResult(.declined(.genericDecline), scenario: .cardDecline))
        modes.cardDeclineEnabled = false
        modes.gatewayTimeoutDelay = 1
        let deadline = RequestDeadline(after: .milliseconds(20))
        let silent = try await RequestDeadline.$current.withValue(deadline) { try await authorise(modes) }
        #expect(silent == ChargeResult(.noAnswer, scenario: .gatewayTimeout))
        #expect(deadline.remaining <= .zero)
    }

    @Test("is silent no longer than its delay, and ends at once when its caller is cancelled")
    func silence() async throws {
        var modes = FailureModes()
        (modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability) = (true, 100)
        modes.gatewayTimeoutDelay = 1
        let start = ContinuousClock.now
        #expect(try await authorise(modes).outcome == .noAnswer)
        #expect(ContinuousClock.now - start >= .seconds(1))

        modes.gatewayTimeoutDelay = 60
        await withThrowingTaskGroup(of: ChargeResult.self) { [modes] group in
            group.addTask { try await authorise(modes) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        }
    }

    @Test("hits as many as asked, the same ones at the same seed, and decides by the key before the id")
    func draws() async throws {
        var modes = FailureModes()
        (modes.cardDeclineEnabled, modes.cardDeclineProbability) = (true, 20)
        let keys = (0..<2000).map { "key-\($0)" }
        func declined(seed: UInt64) -> [String] {
            let settings = ServiceSettings(version: 1, seed: seed, failureModes: modes)
            return keys.filter { SimulatedAcquirer.scenario(settings, key: $0) == .cardDecline }
        }
        let first = declined(seed: 1)
        // The 99.99 % interval of a binomial with n = 2000, p = 0.2 is 400 +- 70.
        #expect((330...470).contains(first.count))
        #expect(declined(seed: 1) == first)
        #expect(declined(seed: 2) != first)
        for key in keys.prefix(3) + first.prefix(3) {
            let result = try await authorise(modes, id: "PAY-of-\(key)", key: key)
            #expect((result.scenario == .cardDecline) == first.contains(key))
        }
    }
}
