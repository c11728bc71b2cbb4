import Foundation
import Shared

/// Presses halt during random faults, again and again, and measures how long it takes until the last fault is gone.
///
/// ```
///   start 1 to 3 faults --> in force (or not yet) --> POST /api/halt --> the witness looks --> rearm, next
///   users: a payment every 100 ms, all the time
/// ```
struct HaltBench: Sendable {
    let plan: HaltPlan
    let lab: LabProcess

    /// Until a fault is in force on a busy machine: a killed replica may be waited for, a stress has to take effect.
    private static let timeToInject = Duration.seconds(60)
    private static let timeToEnd = Duration.seconds(30)
    private static let paymentPeriod = Duration.milliseconds(100)

    func run() async throws -> HaltReport {
        let witness = try HaltWitness(lab)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pay() }
            defer { group.cancelAll() }
            var records: [HaltReport.Record] = []
            for number in 0..<plan.presses {
                records.append(try await press(HaltPress(number: number, seed: plan.seed), witness))
            }
            return HaltReport(plan: plan, records: records)
        }
    }

    private func press(_ press: HaltPress, _ witness: HaltWitness) async throws -> HaltReport.Record {
        var runs: [String] = []
        for fault in press.faults { runs.append(try await start(fault)) }
        if !press.isEarly {
            for run in runs { try await waitUntilInForce(run) }
        }
        try await Task.sleep(for: press.pause)
        let traces = press.isEarly ? [] : try await witness.traces()
        let start = ContinuousClock.now
        let answer = try await lab.post(lab.state.runner_url + "/api/halt")
        let took = ContinuousClock.now - start
        let left = try await witness.traces()
        for run in runs { try await waitUntilAborted(run) }
        try await lab.order(lab.state.runner_url + "/api/rearm")
        return HaltReport.Record(
            press: press, took: took, hadTraces: !traces.isEmpty, left: left,
            isAnsweredWell: answer.status == 200 && answer.body["status"] == .string("success")
                && answer.body["remaining"] == .array([])
                && Set(answer.body["stopped"]?.elements.compactMap(\.text) ?? []) == Set(runs))
    }

    /// The cooldown is there to keep people from breaking too much at once.
    private func start(_ fault: HaltFault) async throws -> String {
        try await lab.order(lab.state.runner_url + "/api/chaos-rate-limit-reset")
        let path = "/api/trigger_\(fault.isStress ? "stress" : "chaos")/\(fault.name)"
        guard let id = try await lab.order(lab.state.runner_url + path)["run_id"]?.text else {
            throw NotDone(description: "\(fault.name) was started without a run")
        }
        return id
    }

    private func waitUntilInForce(_ run: String) async throws {
        try await waitUntil("\(run) is in force", within: Self.timeToInject) {
            let view = try await lab.get(lab.state.runner_url + "/api/runs/\(run)").body
            if view["state"] == .string("finished") { throw NotDone(description: "\(run) ended too soon: \(view)") }
            return view["phase"] == .string("fault")
        }
    }

    private func waitUntilAborted(_ run: String) async throws {
        try await waitUntil("\(run) has ended", within: Self.timeToEnd) {
            let view = try await lab.get(lab.state.runner_url + "/api/runs/\(run)").body
            guard view["state"] == .string("finished") else { return false }
            guard view["verdict"] == .string("aborted") else {
                throw NotDone(description: "\(run) was not aborted: \(view)")
            }
            return true
        }
    }

    private func pay() async {
        while !Task.isCancelled {
            _ = try? await lab.post(
                lab.state.payment_url + "/payment/process",
                #"{"amount": 1, "currency": "USD", "product_id": "5"}"#)
            try? await Task.sleep(for: Self.paymentPeriod)
        }
    }
}
