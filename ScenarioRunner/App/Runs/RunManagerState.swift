import Experiments
import Foundation
import Shared
import Verdict

extension RunManager {
    /// What is known of a run.
    struct Record {
        var view: RunView
        let request: RunRequest
        let stop = StopSignal()
        /// Open once its fault is gone, or when there never was one.
        let isFaultGone = Latch()
        /// Open once its fault is in force, or never will be.
        let isDecided = Latch()
        var wasInForce = false
        var injectionFailure: (any Error)?
        /// Its removal was given up.
        var hasStuckFault = false
        var journal: Journal?
    }

    /// Everything that the manager keeps under its lock.
    struct State {
        var records: [String: Record] = [:]
        /// Oldest first.
        var order: [String] = []
        /// Runs of earlier lives of the runner, newest first; their journals are on disk.
        var past: [RunView]
        var governor: Governor
        var isShuttingDown = false
    }
}

extension RunManager.State {
    /// For a fault to be put in force (30 s), to be taken back when that fails (50 s, where Chaos Mesh is slowest), and to
    /// go (``RunExecution/removalTime``, and the last attempt): a place that came free before its fault has gone would
    /// let a fourth one in.
    static let roomForFault = Duration.seconds(240)

    var resilienceHolder: String? {
        records.first { $0.value.view.state != .finished && $0.value.request.setsResilience }?.key
    }

    mutating func admit(_ id: String, _ request: RunRequest, _ plan: FaultPlan) throws {
        if request.setsResilience, let holder = resilienceHolder {
            throw Problem.conflict(
                "\(holder) has set the resilience of the services for its own time. Stop it first, or wait for its end.",
                members: ["run_id": .string(holder)])
        }
        let candidate = Governor.Candidate(
            id: id, experiment: request.experiment.name, plan: plan,
            lease: request.totalDuration + Self.roomForFault, coolsDown: request.origin.coolsDown)
        if let refusal = governor.admit(candidate, at: .now, time: Date()) {
            throw refusal.problem(for: request.experiment.name)
        }
    }

    func pastView(_ id: String) throws -> RunView {
        guard let view = past.first(where: { $0.id == id }) else { throw RunManager.unknown(id) }
        return view
    }

    /// The oldest are those of earlier lives.
    mutating func forgetOldest() {
        past = Array(past.prefix(max(0, RunManager.maxRemembered - order.count)))
        while order.count > RunManager.maxRemembered,
            let index = order.firstIndex(where: { records[$0]?.view.state == .finished })
        {
            records[order.remove(at: index)] = nil
        }
    }
}
