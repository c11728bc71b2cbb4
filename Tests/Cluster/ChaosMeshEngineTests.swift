import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Faults put in and taken out, with a controller that works as Chaos Mesh's does.
@Suite(.timeLimit(.minutes(1)))
struct ChaosMeshEngineTests {
    private func inject(_ cluster: ChaosCluster, _ experiment: Experiment) async throws -> any InjectedFault {
        try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 7, lasting: .seconds(60))
    }

    @Test(arguments: ["loss", "delay", "stress", "http", "io"])
    func aFaultIsInForceAndGone(kind: String) async throws {
        let experiment =
            switch kind {
            case "loss": try TestExperiments.loss(mode: "one")
            case "delay": try TestExperiments.delay()
            case "stress": try TestExperiments.stress()
            case "http": try TestExperiments.http()
            default: try TestExperiments.io(selector: "selector: {labelSelectors: {app: ledger}}")
            }
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all + [TestPods.pod("ledger-a", app: "ledger")])
            try await standIn.withCluster { cluster in
                try await cluster.pods.refresh()
                let plan = try cluster.engine.plan(experiment, seed: 7)
                let fault = try await inject(cluster, experiment)
                #expect(fault.places == plan.places)
                let object = try #require(try await standIn.chaos().first)
                #expect(object["kind"] == .string(experiment.kind))
                let pods = object["spec"]?["selector"]?["pods"]?["payment-chaos"]
                #expect(pods == .array(plan.replicas.map { .string($0) }), "what was planned is what is done")
                // 60 s that are wanted, 30 for the injection, 60 of a margin.
                #expect(object["spec"]?["duration"] == .string("2m30s"))

                let dose = try #require(Dose.combining(try await fault.readings().map { Dose($0) }))
                #expect(dose.effective, "\(dose.text)")
                #expect(dose.kind == .targets)
                #expect(cluster.leases.all.count == 1)

                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
                #expect(cluster.leases.all.isEmpty)
                try await fault.remove()
                let calls = try await standIn.calls()
                #expect(calls.allSatisfy { $0.namespace == nil || $0.namespace == "payment-chaos" })
                #expect(calls.count { $0.verb == "delete" } == 1, "a second removal asks nothing")
            }
        }
    }

    @Test func aKilledPodIsCounted() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.kill())
                let dose = try #require(try await fault.readings().map { Dose($0) }.first)
                #expect(dose.kind == .processKill)
                #expect(dose.asked == 1 && dose.delivered == 1 && dose.effective)
                #expect(dose.detail.hasPrefix("payment-") && dose.detail.contains("(deleted) at "))
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func aKilledContainerIsCounted() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.containerKill())
                let dose = try #require(try await fault.readings().map { Dose($0) }.first)
                #expect(dose.asked == 3 && dose.delivered == 3 && dose.effective, "\(dose.text)")
                #expect(dose.detail.contains("payment-a/payment-service (restarted, 1 times now)"))
                try await fault.remove()
            }
        }
    }

    @Test func podsThatAreDownAreCounted() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.failure())
                _ = try await fault.readings()
                try await eventually("some time of downtime") {
                    try await fault.readings().map { Dose($0) }.first?.effective == true
                }
                try await fault.remove()
                let pods = try await cluster.pods.refresh().pods
                #expect(pods.allSatisfy { $0.isReady })
            }
        }
    }

    @Test func aPodThatStillServesIsNotDownYet() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["grace": .integer(1)])
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.failure())
                let pods = try await cluster.pods.refresh().pods
                #expect(pods.filter { !$0.isReady }.map(\.name) == ["inventory-a", "inventory-b"])
                try await fault.remove()
            }
            try await standIn.set(["grace": .integer(3600)])
            var timing = ClusterTiming.quick
            timing.injection = .seconds(1)
            try await standIn.withCluster(timing: timing) { cluster in
                let error = await #expect(throws: ClusterError.self) {
                    _ = try await inject(cluster, TestExperiments.failure())
                }
                #expect(error?.kind == .notInjected && error?.detail.contains("still ready") == true, "\(error as Any)")
                let left = try await standIn.chaos()
                #expect(left.isEmpty)
            }
        }
    }

    private func bothWays() throws -> Experiment {
        try TestExperiments.experiment(
            "NetworkChaos",
            "mode: all\nselector: {labelSelectors: {app: payment-service}}\naction: loss\nloss: {loss: '95'}\n"
                + "direction: both\ntarget: {mode: all, selector: {labelSelectors: {app: notification-service}}}")
    }

    @Test func bothWaysTakeTwoObjects() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                try await cluster.pods.refresh()
                let plan = try cluster.engine.plan(bothWays(), seed: 7)
                #expect(plan.steps.count == 2)
                #expect(plan.steps[0].action.contains("naming notification-service.payment-chaos.svc:5004 as well"))
                #expect(plan.steps[1].action.contains("in notification-a, notification-b"))
                let fault = try await inject(cluster, bothWays())
                #expect(try await standIn.chaos().count == 2)
                #expect(cluster.leases.all.count == 2)
                #expect(fault.places == plan.places && plan.places.count == 12)
                let dose = try #require(Dose.combining(try await fault.readings().map { Dose($0) }))
                #expect(dose.effective && dose.others?.count == 1)
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty && cluster.leases.all.isEmpty)
            }
        }
    }

    @Test func oneOfTwoIsTakenBackWhenTheOtherFails() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            func creation(_ what: String) -> JSONValue {
                .object([
                    "do": .string(what), "verb": .string("create"), "resource": .string("networkchaos.chaos-mesh.org"),
                    "times": .integer(1), "code": .integer(422),
                ])
            }
            try await standIn.set(["faults": .array([creation("pass"), creation("status")])])
            try await standIn.withCluster { cluster in
                let error = await #expect(throws: ClusterError.self) { _ = try await inject(cluster, bothWays()) }
                #expect(error?.kind == .invalid, "\(error as Any)")
                let left = try await standIn.chaos()
                #expect(left.isEmpty && cluster.leases.all.isEmpty)
            }
        }
    }

    @Test func aFailureThatPassesIsWaitedOut() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["failures": .integer(4)])
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.delay())
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func anAnswerThatWasLostMakesNoSecondObject() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            var timing = ClusterTiming.quick
            timing.request = .milliseconds(1500)
            try await standIn.trouble("late", verb: "create")
            try await standIn.withCluster(timing: timing) { cluster in
                let fault = try await inject(cluster, TestExperiments.delay())
                #expect(try await standIn.chaos().count == 1)
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func whoeverDeletesTheObjectIsNoticed() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.delay())
                guard case .string(let name)? = try await standIn.chaos().first?["metadata"]?["name"] else {
                    Issue.record("no object")
                    return
                }
                try await standIn.delete("networkchaos.chaos-mesh.org", name)
                let error = await #expect(throws: ClusterError.self) { try await fault.readings() }
                #expect(error?.detail.contains("somebody has deleted it") == true)
                try await fault.remove()
            }
        }
    }

    @Test func aCancelledInjectionLeavesNothing() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("absent")])
            try await standIn.withCluster { cluster in
                let experiment = try TestExperiments.delay()
                let injection = Task { try await inject(cluster, experiment) }
                try await eventually("the object") { try await standIn.chaos().count == 1 }
                injection.cancel()
                await #expect(throws: CancellationError.self) { _ = try await injection.value }
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func whereTheWatchIsRefusedTheObjectIsLookedAt() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["denied": .array([.string("watch networkchaos.chaos-mesh.org")])])
            try await standIn.withCluster { cluster in
                let fault = try await inject(cluster, TestExperiments.delay())
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }
}
