import Foundation
import Testing

@testable import Shared

@Suite("Resilience settings")
struct ResilienceSettingsTests {
    @Test("travel as JSON with every pattern by name", arguments: ResilienceProfile.allCases)
    func json(profile: ResilienceProfile) throws {
        var settings = ResilienceSettings(profile, inventoryPool: InventoryPool(connections: 2, holdMs: 80))
        settings.set(.hedging, !settings.has(.hedging))
        let data = try JSONEncoder().encode(settings)
        let document = try JSONDecoder().decode(JSONValue.self, from: data)
        for pattern in ResiliencePattern.allCases {
            #expect(document["patterns"]?[pattern.rawValue] == .bool(settings.has(pattern)))
        }
        #expect(try JSONDecoder().decode(ResilienceSettings.self, from: data) == settings)
    }

    @Test("pass over a pattern that a newer runner knows, and take a missing one from the profile")
    func unknown() throws {
        let text = #"{"profile": "hardened", "patterns": {"retry": false, "time_travel": true}}"#
        let settings = try JSONDecoder().decode(ResilienceSettings.self, from: Data(text.utf8))
        var expected = ResilienceSettings(.hardened)
        expected.set(.retry, false)
        #expect(settings == expected)
    }

    @Test("of a runner that knows none are the fallback, which is naive")
    func missing() throws {
        let modes = String(decoding: try JSONEncoder().encode(FailureModes.off), as: UTF8.self)
        let text = #"{"version": 3, "lease_s": 15, "seed": 1, "failure_modes": \#(modes)}"#
        let settings = try JSONDecoder().decode(ServiceSettings.self, from: Data(text.utf8))
        #expect(settings.resilience == .fallback)
        #expect(ResilienceSettings.fallback == ResilienceSettings(.naive))
        #expect(ServiceSettings.off.resilience == .fallback)
    }

    @Test("say in words how they differ from their profile")
    func words() {
        var settings = ResilienceSettings(.retryStorm, inventoryPool: InventoryPool(connections: 2, holdMs: 80))
        settings.set(.retryBudget, true)
        settings.set(.retry, false)
        #expect("\(settings)" == "retry-storm - retry + retry_budget, inventory pool 2 x 80ms")
        #expect("\(ResilienceSettings(.hardened))" == "hardened")
    }
}
