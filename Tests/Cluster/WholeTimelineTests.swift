import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Workflows and schedules as objects of Chaos Mesh's own.
@Suite(.timeLimit(.minutes(1)))
struct WholeTimelineTests {
    private static let chaos =
        "{mode: all, action: delay, delay: {latency: 10ms}, selector: {labelSelectors: {tier: backend}}}"

    private static let metadata = "namespace: payment-chaos\n  annotations: {payment-chaos.io/run-by: chaos-mesh}"

    private func schedule() throws -> Experiment {
        try TestExperiments.experiment(
            "Schedule",
            """
            schedule: '@every 1m'
            type: NetworkChaos
            historyLimit: 1
            concurrencyPolicy: Forbid
            networkChaos: \(Self.chaos)
            """, metadata: Self.metadata)
    }

    private func workflow() throws -> Experiment {
        try TestExperiments.experiment(
            "Workflow",
            """
            entry: all
            templates:
            - {name: all, templateType: Parallel, deadline: 5m, children: [one, two]}
            - {name: one, templateType: NetworkChaos, deadline: 1m, networkChaos: \(Self.chaos)}
            - name: two
              templateType: StressChaos
              deadline: 1m
              stressChaos: {mode: all, selector: {labelSelectors: {tier: backend}}, stressors: {cpu: {workers: 1, load: 10}}}
            """, metadata: Self.metadata)
    }

    private func inject(_ cluster: ChaosCluster, _ experiment: Experiment) async throws -> any InjectedFault {
        try await cluster.engine.inject(experiment, runID: "RUN-1", seed: 1, lasting: .seconds(60))
    }

    @Test(arguments: ["Schedule", "Workflow"])
    func itIsCreatedFollowedAndGoneWithItsParts(kind: String) async throws {
        let experiment = kind == "Schedule" ? try schedule() : try workflow()
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.withCluster { cluster in
                try await cluster.pods.refresh()
                #expect(cluster.engine.takesWhole(experiment))
                #expect(try cluster.engine.plan(experiment, seed: 1).steps.count == 1)
                let fault = try await inject(cluster, experiment)
                try await eventually("its parts") {
                    guard case .steps(let asked, let done)? = try await fault.readings().first else { return false }
                    return asked == (kind == "Schedule" ? 1 : 2) && done == asked
                }
                let objects = try await standIn.chaos()
                let whole = try #require(objects.first { $0["kind"] == .string(kind) })
                #expect(whole["metadata"]?["labels"]?[ChaosNaming.ownerLabel] == .string("scenario-runner"))
                #expect(!"\(whole)".contains("\"default\""), "every selector names the namespace")
                let chaos = whole["spec"]?["networkChaos"]
                #expect(kind == "Workflow" || chaos?["duration"] == .string("1m"))
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func partsThatHoldItUpAreRemovedByThemselves() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            // Their injection never takes, so their finalizers have to be given up.
            try await standIn.set(["mode": .string("netem")])
            var timing = ClusterTiming.quick
            timing.removal = .seconds(3)
            try await standIn.withCluster(timing: timing) { cluster in
                let fault = try await inject(cluster, schedule())
                try await eventually("its part") { try await standIn.chaos().count == 2 }
                try await fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }

    @Test func aWorkflowThatNobodyBeginsIsTakenBack() async throws {
        try await StandIn.run { standIn in
            try await standIn.set(["mode": .string("absent")])
            var timing = ClusterTiming.quick
            timing.injection = .seconds(2)
            (timing.removal, timing.forcedRemoval) = (.seconds(2), .seconds(2))
            try await standIn.withCluster(timing: timing) { cluster in
                let error = await #expect(throws: FaultLeftBehind.self) { _ = try await inject(cluster, workflow()) }
                #expect((error?.injection as? ClusterError)?.kind == .controllerSilent)
                try await standIn.set(["mode": .string("normal")])
                try await error?.fault.remove()
                #expect(try await standIn.chaos().isEmpty)
            }
        }
    }
}
