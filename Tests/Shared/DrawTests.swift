import Foundation
import Shared
import Testing

struct DrawTests {
    private static let keys = (0..<20_000).map { "PAY-\($0)" }

    /// Fixed for ever: another value would change which payments a seed fails.
    @Test(
        arguments: [
            (0, "", "", 0.30929118745757567), (1, "card_decline", "PAY-1", 0.7077416595836347),
            (42, "gateway_timeout", "PAY-1", 0.5962829731527478), (42, "stolen_card", "PAY-1", 0.045623730919226335),
            (.max, "card_decline", "é", 0.8544430455356565),
        ] as [(UInt64, String, String, Double)])
    func isTheSameOnEveryReplica(seed: UInt64, scenario: String, key: String, expected: Double) {
        #expect(Draw.fraction(seed: seed, scenario: scenario, key: key) == expected)
    }

    @Test(arguments: [1.0, 10, 15, 20, 50, 99], [0, 1, 2, 0xFFFF_FFFF_FFFF_FFFF] as [UInt64])
    func hitsItsShareOfKeys(percent: Double, seed: UInt64) {
        let hits = Self.keys.count { Draw.hits(percent: percent, seed: seed, scenario: "card_decline", key: $0) }
        let interval = wilson(hits: hits, of: Self.keys.count)
        #expect(interval.contains(percent / 100), "\(hits) hits")
    }

    @Test func neverAndAlwaysAreExact() {
        for key in Self.keys {
            #expect(!Draw.hits(percent: 0, seed: 7, scenario: "stolen_card", key: key))
            #expect(Draw.hits(percent: 100, seed: 7, scenario: "stolen_card", key: key))
        }
    }

    @Test func spreadsOverTheWholeRange() {
        var tenths = Array(repeating: 0, count: 10)
        for key in Self.keys { tenths[Int(Draw.fraction(seed: 3, scenario: "x", key: key) * 10)] += 1 }
        for count in tenths { #expect(wilson(hits: count, of: Self.keys.count).contains(0.1), "\(tenths)") }
    }

    @Test(arguments: [("card_decline", "stolen_card"), ("card_decline", "gateway_timeout"), ("ab", "a")])
    func scenariosAreIndependent(first: String, second: String) {
        let both = Self.keys.count {
            Draw.hits(percent: 50, seed: 5, scenario: first, key: $0)
                && Draw.hits(percent: 50, seed: 5, scenario: second, key: $0)
        }
        #expect(wilson(hits: both, of: Self.keys.count).contains(0.25), "\(both)")
    }

    @Test func seedsAreIndependent() {
        let both = Self.keys.count {
            Draw.hits(percent: 50, seed: 5, scenario: "x", key: $0)
                && Draw.hits(percent: 50, seed: 6, scenario: "x", key: $0)
        }
        #expect(wilson(hits: both, of: Self.keys.count).contains(0.25), "\(both)")
    }

    /// Where scenario and key meet is part of the draw: "a" + "bc" is not "ab" + "c".
    @Test func theBorderBetweenScenarioAndKeyCounts() {
        #expect(Draw.fraction(seed: 1, scenario: "a", key: "bc") != Draw.fraction(seed: 1, scenario: "ab", key: "c"))
    }

    /// The 99.99 % interval of a share (Wilson's score interval).
    private func wilson(hits: Int, of count: Int) -> ClosedRange<Double> {
        let z = 3.890592
        let (n, p) = (Double(count), Double(hits) / Double(count))
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return centre - half...centre + half
    }
}

struct ServiceSettingsTests {
    @Test func namesAreThoseOfTheContract() throws {
        let settings = ServiceSettings(version: 3, seed: .max, failureModes: .off)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = String(decoding: try encoder.encode(settings), as: UTF8.self)
        #expect(
            json == """
                {"failure_modes":{"card_decline_enabled":false,"card_decline_probability":0,\
                "gateway_timeout_delay":10,"gateway_timeout_enabled":false,"gateway_timeout_phase":"after-charge",\
                "gateway_timeout_probability":0,"stolen_card_enabled":false,"stolen_card_probability":0},\
                "lease_s":15,"resilience":{"inventory_pool":null,"patterns":{"accept_pending":false,\
                "circuit_breaker":false,"deadlines":true,"hedging":false,"load_shedding":false,"retry":false,\
                "retry_budget":false},"profile":"naive"},"seed":18446744073709551615,"version":3}
                """)
        #expect(try JSONDecoder().decode(ServiceSettings.self, from: Data(json.utf8)) == settings)
    }

    /// An older runner names no phase, and the case that everyone gets wrong is the default. A phase that nobody knows
    /// is no settings at all.
    @Test func settingsWithoutAPhaseMeanAfterTheCharge() throws {
        func decoded(_ phase: String) throws -> FailureModes {
            let json = """
                {"failure_modes":{"card_decline_enabled":true,"card_decline_probability":20,\
                "gateway_timeout_delay":4.5,"gateway_timeout_enabled":true,\(phase)\
                "gateway_timeout_probability":15,"stolen_card_enabled":false,"stolen_card_probability":0},\
                "lease_s":15,"seed":7,"version":3}
                """
            return try JSONDecoder().decode(ServiceSettings.self, from: Data(json.utf8)).failureModes
        }
        let older = try decoded("")
        #expect(older.gatewayTimeoutPhase == .afterCharge)
        #expect(older.gatewayTimeoutEnabled && older.gatewayTimeoutDelay == 4.5)
        #expect(older.gatewayTimeoutProbability == 15 && older.cardDeclineProbability == 20)
        #expect(try decoded(#""gateway_timeout_phase":"before-charge","#).gatewayTimeoutPhase == .beforeCharge)
        #expect(throws: DecodingError.self) { try decoded(#""gateway_timeout_phase":"never","#) }
    }
}
