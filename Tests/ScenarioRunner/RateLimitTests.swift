import Foundation
import TestSupport
import Testing

@testable import ScenarioRunner

struct RateLimitTests {
    private let start = ContinuousClock.now
    private let time = Date(timeIntervalSince1970: 1_700_000_000)

    @Test func aTriggerStartsTheCooldown() {
        var limit = RateLimit(cooldown: .seconds(60))
        #expect(limit.admit("a", lease: .seconds(30), coolsDown: true, at: start, time: time) == nil)
        #expect(
            limit.admit("b", lease: .seconds(30), coolsDown: true, at: start + .milliseconds(500), time: time)
                == .coolingDown(seconds: 60))
        #expect(
            limit.admit("b", lease: .seconds(30), coolsDown: true, at: start + .milliseconds(59_001), time: time)
                == .coolingDown(seconds: 1))
        #expect(limit.admit("b", lease: .seconds(30), coolsDown: true, at: start + .seconds(60), time: time) == nil)
    }

    @Test func aRefusedTriggerStartsNoCooldown() {
        var limit = RateLimit(cooldown: .seconds(60))
        _ = limit.admit("a", lease: .seconds(600), coolsDown: true, at: start, time: time)
        for second in 1..<60 {
            let now = start + .seconds(second)
            #expect(limit.admit("b", lease: .seconds(600), coolsDown: true, at: now, time: time) != nil)
        }
        #expect(limit.admit("b", lease: .seconds(600), coolsDown: true, at: start + .seconds(60), time: time) == nil)
    }

    @Test func threePlacesThatFreeThemselves() {
        var limit = RateLimit(cooldown: .seconds(1))
        for (index, id) in ["a", "b", "c"].enumerated() {
            let lease = Duration.seconds(100 + index)
            #expect(limit.admit(id, lease: lease, coolsDown: false, at: start, time: time) == nil)
        }
        #expect(
            limit.admit("d", lease: .seconds(9), coolsDown: false, at: start + .milliseconds(100), time: time)
                == .noPlace(seconds: 100))
        #expect(limit.activeCount(at: start + .seconds(100)) == 2, "the lease of a has ended")
        #expect(limit.admit("d", lease: .seconds(9), coolsDown: false, at: start + .seconds(100), time: time) == nil)
        limit.end("b")
        limit.end("b")
        limit.end("never admitted")
        #expect(limit.activeCount(at: start + .seconds(100)) == 2)
        #expect(limit.admit("e", lease: .seconds(9), coolsDown: true, at: start + .seconds(100), time: time) == nil)
    }

    @Test func theCommandLineNeitherWaitsForTheCooldownNorStartsIt() {
        var limit = RateLimit(cooldown: .seconds(60))
        _ = limit.admit("a", lease: .seconds(600), coolsDown: true, at: start, time: time)
        #expect(limit.admit("b", lease: .seconds(600), coolsDown: false, at: start + .seconds(1), time: time) == nil)
        #expect(limit.cooldownRemaining(at: start + .seconds(1)) == 59)
    }

    @Test func cancellingGivesThePlaceAndTheCooldownBack() {
        var limit = RateLimit(cooldown: .seconds(60))
        _ = limit.admit("a", lease: .seconds(600), coolsDown: true, at: start, time: time)
        limit.cancel("other")
        #expect(limit.cooldownRemaining(at: start) == 60)
        limit.cancel("a")
        #expect(limit.activeCount(at: start) == 0)
        #expect(limit.admit("b", lease: .seconds(600), coolsDown: true, at: start, time: time) == nil)
    }

    @Test func anEarlierTriggerDoesNotTakeBackTheCooldownOfALaterOne() {
        var limit = RateLimit(cooldown: .seconds(60))
        _ = limit.admit("a", lease: .seconds(600), coolsDown: true, at: start, time: time)
        _ = limit.admit("b", lease: .seconds(600), coolsDown: true, at: start + .seconds(60), time: time)
        limit.cancel("a")
        #expect(limit.cooldownRemaining(at: start + .seconds(60)) == 60)
        #expect(limit.activeCount(at: start + .seconds(60)) == 1)
    }

    @Test func resetForgetsTheCooldownAndKeepsThePlaces() {
        var limit = RateLimit(cooldown: .seconds(60))
        for id in ["a", "b", "c"] {
            limit.reset()
            #expect(limit.admit(id, lease: .seconds(600), coolsDown: true, at: start, time: time) == nil)
        }
        limit.reset()
        #expect(
            limit.admit("d", lease: .seconds(1), coolsDown: true, at: start, time: time) == .noPlace(seconds: 600))
    }

    @Test func statusIsTheDocumentOfTheContract() throws {
        var limit = RateLimit(cooldown: .seconds(60))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(limit.status(at: start)), as: UTF8.self) == """
                {"active_experiments":0,"can_trigger_new":true,"cooldown_minutes":1,"cooldown_remaining_seconds":0,\
                "last_trigger_time":null,"max_concurrent":3,"status":"success"}
                """)
        _ = limit.admit("a", lease: .seconds(30), coolsDown: true, at: start, time: time)
        let status = limit.status(at: start + .seconds(10))
        #expect(!status.canTriggerNew && status.activeExperiments == 1 && status.cooldownRemainingSeconds == 50)
        #expect(status.lastTriggerTime == "2023-11-14T22:13:20Z")
        let later = limit.status(at: start + .seconds(60))
        #expect(later.canTriggerNew && later.activeExperiments == 0)
    }

    /// Random events against a plain model of the rules, one seed a case.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func holdsItsRulesUnderAnyInterleaving(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let cooldown = Duration.milliseconds(Int.random(in: 1...90_000, using: &generator))
        var limit = RateLimit(cooldown: cooldown)
        var model = Model(cooldown: cooldown)
        var now = start
        var admitted: [String] = []
        for step in 0..<400 {
            now += .milliseconds(Int.random(in: 0...20_000, using: &generator))
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...5:
                let id = "run-\(step)"
                let lease = Duration.milliseconds(Int.random(in: 1...120_000, using: &generator))
                let coolsDown = Int.random(in: 0..<3, using: &generator) > 0
                let before = limit.status(at: now)
                let refusal = limit.admit(id, lease: lease, coolsDown: coolsDown, at: now, time: time)
                #expect((refusal == nil) == model.admits(id, lease: lease, coolsDown: coolsDown, at: now))
                if let refusal {
                    #expect(limit.status(at: now) == before, "a refusal changes nothing")
                    #expect(refusal.seconds >= 1)
                    var patient = limit
                    let later = now + .seconds(refusal.seconds)
                    let again = patient.admit(id, lease: lease, coolsDown: coolsDown, at: later, time: time)
                    if case .noPlace = refusal { #expect(again == nil, "waiting as long as told is enough") }
                    if case .coolingDown = again { Issue.record("the cooldown was longer than told") }
                } else {
                    admitted.append(id)
                }
            case 6, 7:
                guard let id = admitted.randomElement(using: &generator) else { continue }
                limit.end(id)
                model.leases[id] = nil
            case 8:
                guard let id = admitted.last else { continue }
                limit.cancel(id)
                model.leases[id] = nil
                if model.lastTrigger?.id == id { model.lastTrigger = nil }
            default:
                guard Int.random(in: 0..<5, using: &generator) == 0 else { continue }
                limit.reset()
                model.lastTrigger = nil
            }
            #expect(limit.activeCount(at: now) == model.active(at: now))
            #expect(limit.activeCount(at: now) <= RateLimit.maxConcurrent)
        }
        #expect(limit.activeCount(at: now + .seconds(120)) == 0, "every place frees itself")
    }

    private struct Model {
        let cooldown: Duration
        var leases: [String: ContinuousClock.Instant] = [:]
        var lastTrigger: (id: String, instant: ContinuousClock.Instant)?

        func active(at now: ContinuousClock.Instant) -> Int { leases.values.filter { now < $0 }.count }

        mutating func admits(
            _ id: String, lease: Duration, coolsDown: Bool, at now: ContinuousClock.Instant
        ) -> Bool {
            if coolsDown, let lastTrigger, now < lastTrigger.instant + cooldown { return false }
            guard active(at: now) < 3 else { return false }
            leases[id] = now + lease
            if coolsDown { lastTrigger = (id, now) }
            return true
        }
    }
}
