import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Faults that do not go as they should: nothing of them is left in a pod unsaid.
@Suite(.timeLimit(.minutes(1)))
struct EngineRemovalTests {
    private func delay(_ cluster: ChaosCluster) async throws -> any InjectedFault {
        try await cluster.engine.inject(TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
    }

    // MARK: What never took

    /// Once its rules are out of the pods' own objects, Chaos Mesh ends by itself.
    @Test(arguments: [
        ("netem", ClusterError.Kind.netemMissing, "unable to set tcs for pod payment-a", "sudo modprobe -a sch_netem"),
        ("iptables", .notInjected, "unable to set ip tables chains for pod payment-a", "iptable_filter"),
        ("ipset", .notInjected, "unable to flush ip sets for pod payment-a", "ip_set xt_set"),
    ])
    func whatTheKernelLacksLeavesNothingLoaded(
        mode: String, kind: ClusterError.Kind, words: String, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string(mode)])
            var timing = ClusterTiming.trouble(injection: .seconds(3))
            timing.removal = .seconds(20)
            try await standIn.withCluster(timing: timing) { cluster in
                let experiment = mode == "netem" ? try TestExperiments.delay() : try TestExperiments.partition()
                let error = await #expect(throws: ClusterError.self) {
                    _ = try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 1, lasting: .seconds(60))
                }
                let text = error.map { "\($0)" } ?? ""
                #expect(error?.kind == kind && text.contains(words) && text.contains(remedy), "\(text)")
                #expect(!text.contains("finalizers"), "no force is needed: \(text)")
                #expect(try await standIn.chaos().isEmpty)
                #expect(try await standIn.loadedRules().isEmpty)
                // What needs none of it works on the same pods.
                let other = mode == "netem" ? try TestExperiments.partition() : try TestExperiments.delay()
                let fault = try await cluster.engine.inject(other, runID: "RUN-2", seed: 1, lasting: .seconds(60))
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
                #expect(try await standIn.loadedRules().isEmpty)
            }
        }
    }

    /// The daemon gets nowhere, so that Chaos Mesh tries for ever, and looks at no annotation.
    @Test(arguments: [
        ("runtime", "loss", "unable to flush ip sets for pod payment-a", "doctor --target kubernetes"),
        ("daemon", "loss", "unable to flush ip sets for pod payment-a", "doctor --target kubernetes"),
        ("no-daemon", "loss", "cannot find daemonIP on node minikube", "chaos-daemon runs on the pod's node"),
        ("runtime", "http", "expected docker:// but got contain", "chaosDaemon.runtime=containerd"),
        ("daemon", "io", "connection refused", "chaos-daemon runs on the pod's node"),
    ])
    func whereTheDaemonGetsNowhereTheFinalizersAreTakenOff(
        mode: String, fault: String, words: String, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            // The system's own pods have no volume that Chaos Mesh may touch.
            try await standIn.putPods(TestPods.all + [TestPods.pod("ledger-a", app: "ledger")])
            try await standIn.set(["mode": .string(mode)])
            var timing = ClusterTiming.trouble(injection: .seconds(3))
            timing.forcedRemoval = .seconds(1)
            try await standIn.withCluster(timing: timing) { cluster in
                let experiment =
                    switch fault {
                    case "loss": try TestExperiments.loss()
                    case "http": try TestExperiments.http()
                    default: try TestExperiments.io(selector: "selector: {labelSelectors: {app: ledger}}")
                    }
                let error = await #expect(throws: ClusterError.self) {
                    _ = try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 1, lasting: .seconds(60))
                }
                let text = error.map { "\($0)" } ?? ""
                #expect(error?.kind == .notInjected && text.contains(words) && text.contains(remedy), "\(text)")
                #expect(text.contains("its finalizers were given up: it never took in"), "\(text)")
            }
            #expect(try await standIn.chaos().isEmpty)
            #expect(try await standIn.loadedRules().isEmpty)
            let asked = try await standIn.calls().last { $0.verb == "patch" }
            #expect(asked?.body?["metadata"]?["finalizers"] == .null)
        }
    }

    /// Those that keep nothing in the pods' own objects go at once.
    @Test(arguments: ["stress", "kill"])
    func whatActsAtOnceNeedsNoForce(fault: String) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("runtime")])
            try await standIn.withCluster(timing: .trouble()) { cluster in
                let experiment = try fault == "stress" ? TestExperiments.stress() : TestExperiments.containerKill()
                let error = await #expect(throws: ClusterError.self) {
                    _ = try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 1, lasting: .seconds(60))
                }
                #expect(error?.remedy?.contains("chaosDaemon.runtime=containerd") == true)
                #expect(error?.detail.contains("finalizers") == false)
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    /// The pods' own objects are everybody's.
    @Test func whatOthersHaveThereStays() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            var timing = ClusterTiming.trouble(injection: .seconds(3))
            timing.forcedRemoval = .seconds(1)
            try await standIn.withCluster(timing: timing) { cluster in
                _ = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-0", seed: 1, lasting: .seconds(60))
                let before = try await standIn.loadedRules()
                #expect(before.count == 3)
                // From now on the kernel refuses both, the one that is there and the one that comes.
                try await standIn.set(["mode": .string("netem")])
                try await standIn.trouble(
                    "status", verb: "patch", resource: "podnetworkchaos.chaos-mesh.org",
                    ["code": .integer(409), "reason": .string("Conflict")])
                let error = await #expect(throws: ClusterError.self) { _ = try await delay(cluster) }
                #expect(error?.kind == .netemMissing)
                // Chaos Mesh goes on failing, over the other one.
                #expect(error?.detail.contains("its finalizers were given up") == true)
                #expect(try await standIn.loadedRules() == before)
                #expect(try await standIn.chaos().count == 1)
            }
        }
    }

    /// As with a Role of an older release.
    @Test func whoMayNotTakeItOutSaysThatItIsLoaded() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set([
                "mode": .string("netem"), "denied": .array([.string("patch podnetworkchaos.chaos-mesh.org")]),
            ])
            try await standIn.withCluster(timing: .trouble(injection: .seconds(3))) { cluster in
                let left = await #expect(throws: FaultLeftBehind.self) { _ = try await delay(cluster) }
                let removal = left?.removal as? ClusterError
                #expect(removal?.kind == .notRemoved)
                #expect(removal?.detail.contains("is still loaded in podnetworkchaos/payment-a") == true)
                #expect(removal?.remedy?.contains("bind a Role with 'patch podnetworkchaos.chaos-mesh.org'") == true)
                #expect(try await standIn.chaos().count == 1, "not hidden by force")
                // The person does as told.
                try await standIn.set(["denied": .array([])])
                try await left?.fault.remove()
                #expect(try await standIn.chaos().isEmpty)
                #expect(try await standIn.loadedRules().isEmpty)
            }
        }
    }

    // MARK: What took

    @Test func whatCannotBeRecoveredStaysAndIsReported() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster(timing: .trouble()) { cluster in
                let fault = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                try await standIn.set(["mode": .string("stuck")])
                let error = await #expect(throws: ClusterError.self) { try await fault.remove() }
                #expect(error?.kind == .notRemoved)
                #expect(error?.detail.contains("unable to flush ip sets") == true)
                #expect(error?.remedy?.contains("kubectl delete pod payment-a payment-b payment-c") == true)
                #expect(try await standIn.chaos().count == 1, "not hidden by force")
                // The person does as told; then it goes.
                for pod in ["payment-a", "payment-b", "payment-c"] { try await standIn.delete("pods", pod) }
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func aFinalizerThatStaysForNothingIsGivenUpAndSaid() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster(timing: .trouble()) { cluster in
                let fault = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                let notes = Locked<[String]>([])
                _ = await fault.work { name, _ in notes.value.append(name) }
                try await standIn.set(["mode": .string("keeps")])
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
                #expect(notes.value == ["finalizer_forced"])
            }
        }
    }

    @Test func aControllerThatIsGoneLeavesTheFaultBehind() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            var timing = ClusterTiming.trouble()
            timing.forcedRemoval = .seconds(1)
            try await standIn.withCluster(timing: timing) { cluster in
                let fault = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                try await standIn.set(["mode": .string("absent")])
                let error = await #expect(throws: ClusterError.self) { try await fault.remove() }
                #expect(error?.kind == .notRemoved)
                #expect(try await standIn.chaos().count == 1)
                try await standIn.set(["mode": .string("normal")])
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }
}
