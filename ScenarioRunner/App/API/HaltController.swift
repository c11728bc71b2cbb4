import HTTPTypes
import Hummingbird
import Load
import Shared

/// The kill switch: one endpoint that removes every fault, ends every load and lets nothing start, until somebody re-arms
/// the runner.
struct HaltController: Sendable {
    let manager: RunManager
    let failureModes: FailureModesStore
    let events: EventHub
    let loads: LoadManager
    let locust: LocustService

    var routes: [Route] {
        [
            .get("/api/halt") { _, _ in try .json(HaltStatus(isHalted: manager.isHalted)) },
            .post("/api/halt", halt),
            .post("/api/rearm") { _, _ in
                manager.rearm()
                return try .json(HaltStatus(isHalted: false))
            },
        ]
    }

    /// Answers when the last fault is gone, or after ``RunManager/haltTime`` with those that are not. The load of a run
    /// ends with its run; other loads send nothing more, and wait for the answers that are under way.
    private func halt(_ request: Request, _ context: AppContext) async throws -> Response {
        let start = ContinuousClock.now
        let (stopped, remaining) = await manager.halt {
            // Payment failures are faults too. Their services hear of it within a moment: they wait for the next change.
            events.publish("failure_modes", failureModes.change { $0 = .off })
            return [loads.stopRunning()?.id, locust.stop()?.id].compactMap { $0 }
        }
        let took = (ContinuousClock.now - start) / .milliseconds(1)
        let answer: [String: JSONValue] = [
            "status": .string(remaining.isEmpty ? "success" : "warning"), "halted": .bool(true),
            "message": .string(Self.message(stopped, remaining)),
            "stopped": .array(stopped.map(JSONValue.string)), "remaining": .array(remaining.map(JSONValue.string)),
            "took_ms": .integer(Int64(took.rounded(.up))),
        ]
        return try .json(answer)
    }

    private static func message(_ stopped: [String], _ remaining: [String]) -> String {
        let blocked = "Nothing starts until POST /api/rearm."
        if !remaining.isEmpty {
            return
                "The faults of \(remaining.joined(separator: ", ")) are still there and are being removed. \(blocked)"
        }
        return stopped.isEmpty ? "Nothing was running. \(blocked)" : "Every fault is gone. \(blocked)"
    }
}

/// Whether everything is halted.
struct HaltStatus: Encodable, Sendable {
    let isHalted: Bool

    enum CodingKeys: String, CodingKey { case isHalted = "halted" }
}
