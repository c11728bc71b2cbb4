import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Each trouble ends in its message, within its deadline, with nothing left behind.
@Suite(.timeLimit(.minutes(1)))
struct EngineTroubleTests {
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
            let error = try await failure(standIn, TestExperiments.delay(), timing: .trouble())
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
            let error = try await failure(standIn, TestExperiments.delay(), timing: .trouble())
            #expect((error as? ClusterError)?.kind == .noPodMatches)
            #expect("\(error)".contains("kubectl get pods --show-labels"))
            #expect(try await standIn.calls().allSatisfy { $0.verb != "create" })
        }
    }

    /// Nothing that lasts is said, so the deadline is waited for.
    @Test(arguments: [
        ("absent", ClusterError.Kind.controllerSilent, "has not touched NetworkChaos/trial-", "clusterScoped"),
        ("no-pod", .noPodMatches, "selected no pod", "chaos-mesh.org/inject=enabled"),
    ])
    func theDeadlineEndsTheWait(
        mode: String, kind: ClusterError.Kind, words: String, remedy: String
    ) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string(mode)])
            let error = try await failure(
                standIn, TestExperiments.delay(), timing: .trouble(injection: .seconds(3)))
            #expect((error as? ClusterError)?.kind == kind, "\(error)")
            #expect("\(error)".contains(words) && "\(error)".contains(remedy), "\(error)")
            #expect("\(error)".contains("within 3s"))
            #expect(try await standIn.chaos().isEmpty)
        }
    }

    @Test func whatIsHalfWayInIsNotHidden() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("wait")])
            let error = try await failure(
                standIn, TestExperiments.delay(), timing: .trouble(injection: .seconds(2)))
            let left = try #require(error as? FaultLeftBehind)
            #expect("\(left.injection)".contains("still waiting: payment-a, payment-b, payment-c"))
            #expect("\(left.removal)".contains("half-way into payment-a"))
            #expect(try await standIn.chaos().count == 1)
        }
    }

    private func object(_ name: String, ofRun run: String?) -> JSONValue {
        .object([
            "apiVersion": .string("chaos-mesh.org/v1alpha1"), "kind": .string("NetworkChaos"),
            "metadata": .object([
                "name": .string(name),
                "labels": .object(run.map { [ChaosNaming.runLabel: .string($0)] } ?? [:]),
            ]),
            "spec": .object([
                "action": .string("delay"), "mode": .string("all"),
                "selector": .object([
                    "pods": .object([
                        "payment-chaos": .array(["payment-a", "payment-b", "payment-c"].map { .string($0) })
                    ])
                ]),
            ]),
        ])
    }

    /// As after a creation whose answer was lost, made again by whoever stands in between.
    @Test func anObjectOfTheRunThatIsThereAlreadyIsTakenUp() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.putChaos(object(ChaosNaming.name(of: "trial", runID: "RUN-1"), ofRun: "RUN-1"))
            try await standIn.withCluster { cluster in
                let fault = try await cluster.engine.inject(
                    TestExperiments.delay(), runID: "RUN-1", seed: 1, lasting: .seconds(60))
                #expect(try await standIn.chaos().count == 1)
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test(arguments: [nil, "RUN-2"])
    func anotherObjectOfThatNameIsLeftAlone(run: String?) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            let name = ChaosNaming.name(of: "trial", runID: "RUN-1")
            try await standIn.putChaos(object(name, ofRun: run))
            let error = try await failure(standIn, TestExperiments.delay(), timing: .trouble())
            #expect((error as? ClusterError)?.kind == .conflict, "\(error)")
            #expect("\(error)".contains("already exists"))
            #expect(try await standIn.chaos().map { $0["metadata"]?["name"] } == [.string(name)])
            #expect(try await standIn.calls().allSatisfy { $0.verb != "delete" })
        }
    }

    @Test func theAPIServerIsLostInTheMiddle() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["mode": .string("absent")])
            try await standIn.withCluster(timing: .trouble(injection: .seconds(2))) { cluster in
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
}
