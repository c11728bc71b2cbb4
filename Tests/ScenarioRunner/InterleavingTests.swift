import Experiments
import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

@testable import ScenarioRunner

/// Starts, ends, failures, stops and halts in any order, on the real manager: never more than three faults are in force,
/// and every place comes free. What crashes and leases do is ``GovernorTests``' part: there the clock is an argument.
@Suite struct InterleavingTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func neverMoreThanThreeAndEveryPlaceIsFreed(seed: UInt64) async throws {
        let engine = MoodyEngine(seed: seed)
        var options = RunnerLab.Options()
        options.otherEngine = engine
        options.removalTime = .seconds(20)
        try await RunnerLab.run(options) { lab in
            var generator = Experiments.SeededGenerator(seed: seed)
            var started: [String] = []
            for _ in 0..<60 {
                switch Int.random(in: 0..<10, using: &generator) {
                case 0...4:
                    let name = "loss-\(["a", "b", "c", "d"][Int.random(in: 0..<4, using: &generator)])"
                    let duration = Duration.milliseconds(Int.random(in: 0...40, using: &generator))
                    if let view = try? lab.manager.start(RunnerLab.request(name, fault: duration)) {
                        started.append(view.id)
                    }
                case 5, 6:
                    if let id = started.randomElement(using: &generator) { _ = try lab.manager.stop(id) }
                case 7 where Int.random(in: 0..<4, using: &generator) == 0:
                    _ = await lab.manager.halt()
                    #expect(engine.inForce == 0)
                    #expect(throws: Problem.self) { try lab.manager.start(RunnerLab.request("loss-a")) }
                    lab.manager.rearm()
                default:
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...15, using: &generator)))
                }
                #expect(lab.manager.rateLimitStatus.activeExperiments <= RateLimit.maxConcurrent)
            }
            for id in started { _ = try await lab.ended(id) }
            #expect(engine.most <= RateLimit.maxConcurrent && engine.inForce == 0)
            #expect(engine.begun > 0 && lab.manager.rateLimitStatus.activeExperiments == 0)
            #expect(try lab.manager.start(RunnerLab.request("loss-a")).state == .starting)
        }
    }
}

/// An engine that now and then fails to put a fault in force, to read it, or to take it away.
private final class MoodyEngine: ChaosEngine {
    private struct Mood {
        var generator: Experiments.SeededGenerator
        var inForce = 0
        var most = 0
        var begun = 0

        mutating func fails(onceIn count: Int) -> Bool { Int.random(in: 0..<count, using: &generator) == 0 }
    }

    private struct Moody: Error {}

    let name = "moody"
    private let mood: Mutex<Mood>

    init(seed: UInt64) { mood = Mutex(Mood(generator: .init(seed: seed &+ 1000))) }

    var inForce: Int { mood.withLock { $0.inForce } }
    var most: Int { mood.withLock { $0.most } }
    var begun: Int { mood.withLock { $0.begun } }

    func refusal(of experiment: Experiment) -> Refusal? { nil }

    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        FaultPlan(replicas: [], places: [.replica(experiment.name)], steps: [])
    }

    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        try mood.withLock { mood in
            if mood.fails(onceIn: 5) { throw Moody() }
            mood.begun += 1
            mood.inForce += 1
            mood.most = max(mood.most, mood.inForce)
        }
        return Fault(engine: self, isGone: Latch())
    }

    private struct Fault: InjectedFault {
        let engine: MoodyEngine
        let isGone: Latch
        var summary: String { "moody" }

        func readings() async throws -> [DoseReading] {
            try engine.mood.withLock { if $0.fails(onceIn: 6) { throw Moody() } }
            return [.packets(asked: 1, seen: 1, dropped: 1)]
        }

        func remove() async throws {
            try engine.mood.withLock { mood in
                if mood.fails(onceIn: 6) { throw Moody() }
                guard !isGone.isOpen else { return }
                isGone.open()
                mood.inForce -= 1
            }
        }
    }
}
