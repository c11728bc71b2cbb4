import Experiments
import Load
import Shared
import Synchronization
import Verdict

@testable import ScenarioRunner

/// An engine whose faults change nothing but a list of what was done.
final class FakeEngine: ChaosEngine {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// What the engine and its faults fail with; nil where they work.
    struct Failures: Sendable {
        var injection: String?
        /// Thrown in place of that, as it is.
        var injectionError: (any Error)?
        /// Why an injection that failed cannot be taken back at once; nil where it can.
        var takingBack: String?
        /// How long it takes; `wait <experiment>` stands in the log meanwhile.
        var injectionTime: Duration?
        var reading: String?
        /// Of the way to the fault: so many readings fail with it first.
        var trouble: (error: any Error, readings: Int)?
        var removal: String?
        /// No fault can be removed before it opens.
        var removability: Latch?
    }

    let name = "fake"
    private let failures: Failures
    /// Where experiments act that do not act in a place of their own.
    private let places: [String: String]
    private let done = Mutex<[String]>([])
    private let readings = Mutex(0)

    init(_ failures: Failures = Failures(), places: [String: String] = [:]) {
        self.failures = failures
        self.places = places
    }

    /// `inject loss-a`, `remove loss-a`, in order.
    var log: [String] { done.withLock { $0 } }
    /// The faults that are in force now.
    var inForce: Int { log.count { $0.hasPrefix("inject") } - log.count { $0.hasPrefix("remove") } }

    func refusal(of experiment: Experiment) -> Refusal? { LabSupport.refusal(of: experiment) }

    func takesWhole(_ experiment: Experiment) -> Bool { experiment.isWhole }

    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        FaultPlan(
            replicas: [experiment.name], places: [.replica(places[experiment.name] ?? experiment.name)],
            steps: [.init(location: "nowhere", action: "nothing", undo: "nothing")])
    }

    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        // The real tools do not start in a cancelled task either.
        try Task.checkCancellation()
        if let time = failures.injectionTime {
            done.withLock { $0.append("wait \(experiment.name)") }
            try await Task.sleep(for: time)
        }
        if let error = failures.injectionError { throw error }
        let fault = Fault(engine: self, name: experiment.name)
        if let text = failures.injection {
            guard let removal = failures.takingBack else { throw Broken(description: text) }
            done.withLock { $0.append("inject \(experiment.name)") }
            throw FaultLeftBehind(
                fault: fault, injection: Broken(description: text), removal: Broken(description: removal))
        }
        done.withLock { $0.append("inject \(experiment.name)") }
        return fault
    }

    private struct Fault: InjectedFault {
        let engine: FakeEngine
        let name: String

        var summary: String { "\(name) on everyone" }
        var places: Set<FaultPlan.Place> { [.replica(engine.places[name] ?? name)] }

        func readings() async throws -> [DoseReading] {
            if let text = engine.failures.reading { throw Broken(description: text) }
            let number = engine.readings.withLock { count in
                count += 1
                return count
            }
            if let trouble = engine.failures.trouble, number <= trouble.readings { throw trouble.error }
            return [.packets(asked: 0.8, seen: 1000, dropped: 800)]
        }

        func remove() async throws {
            try Task.checkCancellation()
            if let text = engine.failures.removal { throw Broken(description: text) }
            if let latch = engine.failures.removability, !latch.isOpen { throw Broken(description: "it sticks") }
            engine.done.withLock { $0.append("remove \(name)") }
        }
    }
}

/// A load without requests on the wire: each answers at once, or the load dies. It keeps to its schedule as the real one
/// does: what a slow machine delays is still due when it was.
final class FakeLoad: RunLoad {
    /// Breaks off when it opens, as a worker that is killed.
    let death = Latch()
    private let seen = Mutex<[LoadOrder]>([])

    var orders: [LoadOrder] { seen.withLock { $0 } }

    func run(
        _ order: LoadOrder, stop: Latch, abort: Latch, onSample: @escaping @Sendable (RequestSample) -> Void
    ) async throws -> LoadFacts? {
        seen.withLock { $0.append(order) }
        let intervalNs = 1_000_000_000 / UInt64(order.rate)
        var due = MonotonicClock.nowNs()
        while !abort.isOpen {
            if death.isOpen { throw LabError("the load generator ended with signal 9") }
            let isLast = await stop.wait(until: .now + .nanoseconds(intervalNs))
            while due <= MonotonicClock.nowNs() {
                onSample(
                    RequestSample(
                        endpoint: "chain", intendedNs: due, sendDelayNs: 0, latencyNs: 1_000_000, outcome: .status(200)
                    ))
                due += intervalNs
            }
            if isLast { break }
        }
        return nil
    }
}
