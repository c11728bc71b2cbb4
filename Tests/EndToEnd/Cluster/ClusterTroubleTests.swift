import Foundation
import Shared
import Testing

/// What a trigger says when the cluster does not do its part: never that it has begun, always what to do about it.
@Suite("A served cluster in trouble", .serialized, .timeLimit(.minutes(5)))
struct ClusterTroubleTests {
    private static let trigger = "/api/trigger_chaos/packet-loss-80-percent"

    private func message(_ answer: (status: Int, body: JSONValue), sourceLocation: SourceLocation) -> String {
        #expect(answer.status == 503, "\(answer.body)", sourceLocation: sourceLocation)
        return answer.body["message"]?.text ?? ""
    }

    private func refused(
        _ system: ServedSystem, mode: String, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await system.standIn.set(["mode": .string(mode)])
        let text = message(try await system.post(Self.trigger), sourceLocation: sourceLocation)
        for word in ["did not take effect: "] + words { #expect(text.contains(word), "\(text)") }
        #expect(try await system.standIn.chaos() == [], sourceLocation: sourceLocation)
    }

    @Test("No netem, a daemon that gets nowhere, a silent controller, no pod: 503 with the remedy, and nothing stays")
    func troubles() async throws {
        try await ServedSystem.withOne(chaosTimeout: 3) { system in
            try await refused(
                system, mode: "netem", ["unable to set tcs for pod payment-a1", "sudo modprobe -a sch_netem"])
            try await refused(
                system, mode: "runtime", ["unable to flush ip sets", "doctor", "its finalizers were given up"])
            try await refused(system, mode: "absent", ["has not touched NetworkChaos/", "clusterScoped"])
            // None of them has begun a cooldown, nor keeps a place.
            let limit = try await system.get("/api/chaos-rate-limit-status").body
            #expect(limit["active_experiments"] == .integer(0) && limit["can_trigger_new"] == .bool(true), "\(limit)")

            try await system.standIn.set(["mode": .string("normal")])
            try await system.standIn.delete(pod: "inventory-b1")
            let text = message(try await system.post(Self.trigger), sourceLocation: #_sourceLocation)
            #expect(text.contains("spec.target.selector selects no pod"), "\(text)")
            #expect(text.contains("kubectl get pods"), "\(text)")
        }
    }

    @Test("A fault that is half-way in and cannot be taken back is said to be there, until it is gone")
    func sticks() async throws {
        try await ServedSystem.withOne(chaosTimeout: 3) { system in
            try await system.standIn.set(["mode": .string("wait")])
            let answer = try await system.post(Self.trigger)
            let text = message(answer, sourceLocation: #_sourceLocation)
            #expect(text.contains("did not take effect: ") && text.contains("may still be there: "), "\(text)")
            #expect(text.contains("half-way into payment-a1"), "\(text)")
            #expect(try await system.standIn.chaos().count == 1)
            let limit = try await system.get("/api/chaos-rate-limit-status").body
            #expect(limit["active_experiments"] == .integer(1), "it keeps its place: \(limit)")
            // Chaos Mesh comes to itself, and the runner has not given up.
            try await system.standIn.set(["mode": .string("normal")])
            let path = "/api/runs/\(answer.body["run_id"]?.text ?? "")"
            try await waitUntil("the run's end", within: .seconds(90)) {
                try await system.get(path).body["state"] == .string("finished")
            }
            #expect(try await system.get(path).body["verdict"] == .string("invalid"))
            #expect(try await system.standIn.chaos() == [])
        }
    }
}
