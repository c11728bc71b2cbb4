import Experiments
import Foundation
import Testing

@testable import ScenarioRunner

/// What may start beside what runs already.
@Suite struct GovernorTests {
    private let start = ContinuousClock.now
    private static let all: Set<String> = ["payment-0", "payment-1", "inventory-0"]

    private func governor(cooldown: Duration = .zero, allowsTotal: Bool = false) -> Governor {
        var governor = Governor(cooldown: cooldown, allowsTotal: allowsTotal)
        governor.allReplicas = Self.all
        return governor
    }

    private func candidate(
        _ id: String, _ experiment: String? = nil, at places: Set<FaultPlan.Place> = [], on replicas: [String] = [],
        lease: Duration = .seconds(100), coolsDown: Bool = false
    ) -> Governor.Candidate {
        .init(
            id: id, experiment: experiment ?? id, plan: FaultPlan(replicas: replicas, places: places, steps: []),
            lease: lease, coolsDown: coolsDown)
    }

    @Test func twoFaultsDoNotActInOnePlace() {
        var governor = governor()
        let way = FaultPlan.Place.path(from: "payment-0", to: "inventory-0")
        let back = FaultPlan.Place.path(from: "inventory-0", to: "payment-0")
        #expect(governor.admit(candidate("loss", at: [way]), at: start, time: .now) == nil)
        #expect(
            governor.admit(candidate("delay", at: [back, way]), at: start + .seconds(1), time: .now)
                == .conflict(id: "loss", experiment: "loss", place: "payment-0 -> inventory-0", seconds: 99))
        // The way back, and the replica itself, are other places.
        #expect(governor.admit(candidate("back", at: [back]), at: start, time: .now) == nil)
        #expect(governor.admit(candidate("cpu", at: [.replica("payment-0")]), at: start, time: .now) == nil)
        governor.end("loss")
        #expect(governor.admit(candidate("delay", at: [way]), at: start, time: .now) == nil)
    }

    @Test func oneExperimentRunsOnceWhereverItActs() {
        var governor = governor()
        #expect(governor.admit(candidate("1", "kill"), at: start, time: .now) == nil)
        #expect(
            governor.admit(candidate("2", "kill"), at: start, time: .now)
                == .conflict(id: "1", experiment: "kill", place: nil, seconds: 100))
        // Its lease frees the place although nobody ended it.
        #expect(governor.admit(candidate("2", "kill"), at: start + .seconds(100), time: .now) == nil)
    }

    @Test func neverEverythingAtOnce() {
        var governor = governor()
        #expect(
            governor.admit(candidate("all", on: Self.all.sorted()), at: start, time: .now) == .tooWide(seconds: nil))
        #expect(governor.admit(candidate("two", on: ["payment-0", "payment-1"]), at: start, time: .now) == nil)
        #expect(
            governor.admit(candidate("rest", on: ["inventory-0"]), at: start + .seconds(40), time: .now)
                == .tooWide(seconds: 60))
        // Waiting for another does not make it narrower.
        #expect(
            governor.admit(candidate("all", on: Self.all.sorted()), at: start, time: .now) == .tooWide(seconds: nil))
        governor.end("two")
        #expect(governor.admit(candidate("rest", on: ["inventory-0"]), at: start, time: .now) == nil)
        var free = self.governor(allowsTotal: true)
        #expect(free.admit(candidate("all", on: Self.all.sorted()), at: start, time: .now) == nil)
    }

    @Test func whoIsTooWideWaitsUntilItIsNot() {
        var governor = governor()
        // The first to end leaves all but the second's replica as it is.
        for (id, replica, lease) in [("a", "payment-0", 10), ("b", "payment-1", 20), ("c", "payment-1", 30)] {
            #expect(
                governor.admit(
                    candidate(id, on: [replica], lease: .seconds(lease)), at: start, time: .now) == nil)
        }
        governor.end("a")
        let wide = candidate("wide", on: ["payment-0", "inventory-0"])
        #expect(governor.admit(wide, at: start, time: .now) == .tooWide(seconds: 30))
        #expect(governor.admit(wide, at: start + .seconds(30), time: .now) == nil)
    }

    @Test func nothingStartsWhileHalted() {
        var governor = governor(cooldown: .seconds(60))
        governor.halt()
        #expect(governor.admit(candidate("a", coolsDown: true), at: start, time: .now) == .halted)
        #expect(!governor.status(at: start).canTriggerNew && governor.status(at: start).cooldownRemainingSeconds == 0)
        governor.rearm()
        #expect(governor.admit(candidate("a", coolsDown: true), at: start, time: .now) == nil)
    }

    @Test func aRefusalChangesNothing() {
        var governor = governor(cooldown: .seconds(60))
        #expect(governor.admit(candidate("a", at: [.replica("payment-0")]), at: start, time: .now) == nil)
        let before = governor.status(at: start)
        let refused = candidate("b", at: [.replica("payment-0")], coolsDown: true)
        #expect(governor.admit(refused, at: start, time: .now) != nil)
        #expect(governor.status(at: start) == before, "a conflict takes no place and starts no cooldown")
    }

    /// Random starts, ends, stops, expiries (nobody ends it), halts and crashes of the runner, one seed a case.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func aPlaceIsAlwaysFreed(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let cooldown = Duration.seconds(Int.random(in: 0...30, using: &generator))
        var governor = governor(cooldown: cooldown, allowsTotal: true)
        let places = (0..<4).map { FaultPlan.Place.replica("r\($0)") }
        var now = start
        var alive: [String: (places: Set<FaultPlan.Place>, until: ContinuousClock.Instant)] = [:]
        for step in 0..<300 {
            now += .milliseconds(Int.random(in: 0...15_000, using: &generator))
            alive = alive.filter { $0.value.until > now }
            switch Int.random(in: 0..<21, using: &generator) {
            case 0...12:
                let wanted = Set(places.shuffled(using: &generator).prefix(Int.random(in: 1...2, using: &generator)))
                let lease = Duration.seconds(Int.random(in: 1...60, using: &generator))
                let new = candidate(
                    "run-\(step)", at: wanted, lease: lease, coolsDown: Bool.random(using: &generator))
                let overlaps = alive.values.contains { !$0.places.isDisjoint(with: wanted) }
                if governor.admit(new, at: now, time: .now) == nil {
                    #expect(!overlaps && !governor.isHalted)
                    alive["run-\(step)"] = (wanted, now + lease)
                }
            case 13...16:
                guard let id = alive.keys.sorted().randomElement(using: &generator) else { continue }
                governor.end(id)
                alive[id] = nil
            case 17, 18:
                guard let id = alive.keys.sorted().randomElement(using: &generator) else { continue }
                governor.cancel(id)
                alive[id] = nil
            case 19:
                // Its faults die with the process, and the next one knows of none.
                governor = self.governor(cooldown: cooldown, allowsTotal: true)
                alive = [:]
            default:
                if governor.isHalted { governor.rearm() } else { governor.halt() }
            }
            #expect(governor.activeCount(at: now) == alive.count && alive.count <= RateLimit.maxConcurrent)
        }
        governor.rearm()
        let later = now + .seconds(61)
        let anew = candidate("last", at: Set(places), coolsDown: true)
        #expect(governor.admit(anew, at: later, time: .now) == nil, "every place frees itself")
    }
}
