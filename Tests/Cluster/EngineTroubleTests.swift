import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Each trouble ends in its message, within its deadline, with nothing left behind.
@Suite(.timeLimit(.minutes(1)))
struct EngineTroubleTests {
    private func timing(injection: Duration = .seconds(20)) -> ClusterTiming {
        var timing = ClusterTiming.quick
        timing.injection = injection
        timing.removal = .milliseconds(700)
        timing.forcedRemoval = .seconds(10)
        return timing
    }

    private func failure(
        _ standIn: StandIn, _ experiment: Experiment, timing: ClusterTiming,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> any Error {
        try await standIn.withCluster(timing: timing) { cluster in
            try #require(
                await #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
                    _ = try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 1, lasting: .seconds(60))
                })
        }
    }

    /// Before anything is created.
    @Test(
        arguments: [
            (["crds": JSONValue.bool(false)], ClusterError.Kind.chaosMeshMissing, "helm install chaos-mesh"),
            (
                ["denied": .array([.string("create networkchaos.chaos-mesh.org")])], .forbidden,
                "bind a Role with 'create networkchaos.chaos-mesh.org' in payment-chaos"
            ),
            (["denied": .array([.string("list pods")])], .forbidden, "bind a Role with 'list pods'"),
            (["tokens": .array([])], .unauthorized, "log in anew"),
        ] as [([String: JSONValue], ClusterError.Kind, String)])
    func whatTheServerRefusesIsSaid(
        settings: [String: JSONValue], kind: ClusterError.Kind, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(settings)
            let error = try await failure(standIn, TestExperiments.delay(), timing: timing())
            #expect((error as? ClusterError)?.kind == kind, "\(error)")
            #expect("\(error)".contains(remedy), "\(error)")
            #expect(try await standIn.chaos().isEmpty)
            // The same is known before a run begins.
            try await standIn.withCluster { cluster in
                let early = await #expect(throws: ClusterError.self) {
                    try await cluster.engine.preflight(TestExperiments.delay())
                }
                #expect(early?.kind == kind)
            }
        }
    }

    @Test func noPodMatches() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods([TestPods.pod("other", app: "other")])
            let error = try await failure(standIn, TestExperiments.delay(), timing: timing())
            #expect((error as? Refusal)?.field == "spec.selector")
            #expect("\(error)".contains("kubectl get pods --show-labels"))
            #expect(try await standIn.calls().allSatisfy { $0.verb != "create" })
        }
    }

    /// What the records' events say; the injection never took, so that its finalizer has to be given up.
    @Test(arguments: [
        ("netem", ClusterError.Kind.netemMissing, "modprobe sch_netem"),
        ("runtime", .notInjected, "chaosDaemon.runtime=containerd"),
    ])
    func whatTheRecordsSayIsShownAndNothingIsLeft(
        mode: String, kind: ClusterError.Kind, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string(mode)])
            let error = try await failure(standIn, TestExperiments.delay(), timing: timing())
            #expect((error as? ClusterError)?.kind == kind, "\(error)")
            #expect("\(error)".contains(remedy))
            #expect("\(error)".contains("its finalizers were given up: it never took in payment-a"), "\(error)")
            #expect(try await standIn.chaos().isEmpty)
            let annotated = try await standIn.calls().last { $0.verb == "patch" }
            #expect(
                annotated?.body?["metadata"]?["annotations"]?["chaos-mesh.chaos-mesh.org/cleanFinalizer"]
                    == .string("forced"))
        }
    }

    /// Nothing that lasts is said, so the deadline is waited for.
    @Test(arguments: [
        ("absent", ClusterError.Kind.controllerSilent, "has not touched NetworkChaos/trial-", "clusterScoped"),
        ("no-pod", .noPodMatches, "selected no pod", "chaos-mesh.org/inject=enabled"),
        ("daemon", .notInjected, "connection refused", "chaos-daemon runs on the pod's node"),
    ])
    func theDeadlineEndsTheWait(
        mode: String, kind: ClusterError.Kind, words: String, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string(mode)])
            let error = try await failure(
                standIn, TestExperiments.delay(), timing: timing(injection: .milliseconds(600)))
            #expect((error as? ClusterError)?.kind == kind, "\(error)")
            #expect("\(error)".contains(words) && "\(error)".contains(remedy), "\(error)")
            #expect("\(error)".contains("within 600ms") || kind == .notInjected)
            #expect(try await standIn.chaos().isEmpty)
        }
    }

    @Test func whatIsHalfWayInIsNotHidden() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("wait")])
            let error = try await failure(
                standIn, TestExperiments.delay(), timing: timing(injection: .milliseconds(400)))
            let left = try #require(error as? FaultLeftBehind)
            #expect("\(left.injection)".contains("still waiting: payment-a, payment-b, payment-c"))
            #expect("\(left.removal)".contains("half-way into payment-a"))
            #expect(try await standIn.chaos().count == 1)
        }
    }

    @Test func theAPIServerIsLostInTheMiddle() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("absent")])
            try await standIn.withCluster(timing: timing(injection: .seconds(2))) { cluster in
                async let injection = cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                try await eventually("the object") { try await standIn.chaos().count == 1 }
                // From now on nobody answers, but for the deletion after it.
                try await standIn.set([
                    "faults": .array(
                        ["get", "watch"].map { verb in
                            .object(["do": .string("close"), "verb": .string(verb), "times": .integer(1_000_000)])
                        })
                ])
                try await standIn.compact()
                do {
                    _ = try await injection
                    Issue.record("injected without a server")
                } catch let left as FaultLeftBehind {
                    #expect((left.injection as? ClusterError)?.kind == .unreachable, "\(left.injection)")
                    // It comes back, and the fault can be taken away.
                    try await standIn.set(["faults": .array([]), "mode": .string("normal")])
                    try await left.fault.remove()
                }
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    // MARK: Out

    @Test func whatCannotBeRecoveredStaysAndIsReported() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster(timing: timing()) { cluster in
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
            try await standIn.withCluster(timing: timing()) { cluster in
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
            var timing = timing()
            timing.forcedRemoval = .milliseconds(300)
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
