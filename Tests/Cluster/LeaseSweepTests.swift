import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// What runners that are gone left behind, and what is not theirs.
@Suite(.timeLimit(.minutes(1)))
struct LeaseSweepTests {
    private func object(
        _ name: String, kind: String = "NetworkChaos", owner: String? = ChaosNaming.owner, leaseIn seconds: Int? = -1
    ) -> JSONValue {
        var labels: [String: JSONValue] = [:]
        if let owner { labels[ChaosNaming.ownerLabel] = .string(owner) }
        var annotations: [String: JSONValue] = [:]
        if let seconds {
            annotations[ChaosNaming.leaseAnnotation] = .string(
                KubernetesTime.text(UnixTime.now.advanced(bySeconds: seconds)))
        }
        return .object([
            "apiVersion": .string("chaos-mesh.org/v1alpha1"), "kind": .string(kind),
            "metadata": .object([
                "name": .string(name), "labels": .object(labels), "annotations": .object(annotations),
            ]),
            "spec": .object([
                "action": .string("delay"), "mode": .string("all"),
                "selector": .object(["pods": .object(["payment-chaos": .array([.string("payment-a")])])]),
            ]),
        ])
    }

    private func names(_ standIn: StandIn) async throws -> Set<String> {
        Set(
            try await standIn.chaos().compactMap {
                if case .string(let name)? = $0["metadata"]?["name"] { name } else { nil }
            })
    }

    @Test func onlyExpiredObjectsOfRunnersGo() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            for item in [
                object("expired"), object("expired-too", kind: "StressChaos"), object("alive", leaseIn: 100),
                object("of-a-person", owner: nil), object("of-another-tool", owner: "somebody"),
                object("new-and-unmarked", leaseIn: nil),
            ] { try await standIn.putChaos(item) }
            try await standIn.withCluster { cluster in
                let gone = try await cluster.sweep.sweep()
                #expect(Set(gone) == ["NetworkChaos/expired", "StressChaos/expired-too"])
                #expect(
                    try await names(standIn) == ["alive", "of-a-person", "of-another-tool", "new-and-unmarked"])
            }
        }
    }

    @Test func theLeasesOfLivingRunsAreRenewed() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                let fault = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                var sweep = cluster.sweep
                let later = UnixTime.now.advanced(bySeconds: 3600)
                sweep.now = { later }
                #expect(try await sweep.sweep().isEmpty, "its own are never swept, not even when they are late")
                let lease = try await standIn.chaos().first?["metadata"]?["annotations"]?[ChaosNaming.leaseAnnotation]
                #expect(lease == .string(KubernetesTime.text(later.advanced(bySeconds: 180))))
                try await fault.remove()
            }
        }
    }

    @Test func aRunnerThatDiedLeavesNothingForLong() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                _ = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
            }
            #expect(try await standIn.chaos().count == 1, "that runner is gone")
            try await standIn.withCluster { cluster in
                let early = try await cluster.sweep.sweep()
                #expect(early.isEmpty, "its lease is not over")
                var sweep = cluster.sweep
                let later = UnixTime.now.advanced(bySeconds: 181)
                sweep.now = { later }
                #expect(try await sweep.sweep().count == 1)
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func itRunsAtStartAndOnWhateverFails() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.trouble("status", verb: "list", times: 3, ["code": .integer(500)])
            try await standIn.putChaos(object("expired"))
            try await standIn.withCluster { cluster in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await cluster.sweep.run() }
                    try await eventually("the sweep") { try await names(standIn).isEmpty }
                    try await standIn.putChaos(object("expired-later"))
                    try await eventually("the next round") { try await names(standIn).isEmpty }
                    group.cancelAll()
                }
            }
        }
    }

    @Test func whereThereIsNoChaosMeshThereIsNothingToSweep() async throws {
        try await StandIn.run { standIn in
            try await standIn.set(["crds": .bool(false)])
            let gone = try await standIn.withCluster { try await $0.sweep.sweep() }
            #expect(gone.isEmpty)
        }
    }

    @Test func aLeaseRenewedMeanwhileIsRespected() async throws {
        try await StandIn.run { standIn in
            try await standIn.set(["mode": .string("absent")])
            try await standIn.putChaos(object("contested"))
            try await standIn.trouble(
                "status", verb: "delete", times: 1, ["code": .integer(409), "reason": .string("Conflict")])
            try await standIn.withCluster { cluster in
                #expect(try await cluster.sweep.sweep().isEmpty)
                let asked = try await standIn.calls().last { $0.verb == "delete" }
                #expect(asked?.body?["preconditions"]?["resourceVersion"] != nil)
                #expect(try await names(standIn) == ["contested"])
            }
        }
    }
}
