import Experiments
import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// Manifests on real processes: sleeping shells for replicas, a shell for a stress worker, no network.
@Suite struct LocalEngineTests {
    private let topology = LabTopology(payment: 2, inventory: 1, notification: 1)
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func withEngine(
        worker: String = "exit 9", _ body: (LocalEngine, Supervisor) async throws -> Void
    ) async throws {
        let commands = topology.replicas.map {
            ReplicaCommand(
                name: $0.name, arguments: ["/bin/sh", "-c", "exec sleep 60"], environment: ["PATH": "/usr/bin:/bin"],
                logFile: folder.file("\($0.name).log"), limits: nil)
        }
        let placements = topology.replicas.map { ($0.name, Placement.processor(Pinning(replica: 0))) }
        try await supervise(commands) { supervisor in
            try await supervisor.waitUntilRunning()
            let engine = LocalEngine(
                topology: topology, hasNetwork: false, placements: Dictionary(uniqueKeysWithValues: placements),
                workerCommand: ["/bin/sh", "-c", worker, "worker"], pathWorkerCommand: [], dataFolder: folder.path,
                supervisor: supervisor)
            try await body(engine, supervisor)
        }
    }

    private func experiment(
        _ kind: String, _ spec: String, selector: String = "labelSelectors: {app: payment-service}"
    ) throws -> Experiment {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: x, namespace: payment-chaos}
            spec:
              selector: {\(selector)}
            \(spec)
            """
        return try #require(ManifestLoader.load(text, file: "x.yaml").experiments.first)
    }

    private func pids(_ supervisor: Supervisor) -> [String: Int32] {
        Dictionary(
            uniqueKeysWithValues: supervisor.snapshot().compactMap { status in status.pid.map { (status.name, $0) } })
    }

    @Test func aPodKillEndsTheProcessesThatAreSelectedAndNoOther() async throws {
        try await withEngine { engine, supervisor in
            let before = pids(supervisor)
            let kill = try experiment("PodChaos", "  action: pod-kill\n  mode: one")
            #expect(engine.refusal(of: kill) == nil)
            let fault = try await engine.inject(kill, runID: "r", seed: 1)
            let dose = try #require(Dose.combining(try await fault.readings().map(Dose.init)))
            #expect(dose.effective && dose.asked == 1)
            try await fault.remove()
            try await fault.remove()
            try await eventually("back") { supervisor.snapshot().allSatisfy { $0.state == .up } }
            let changed = pids(supervisor).filter { before[$0.key] != $0.value }.map(\.key)
            #expect(changed.count == 1 && changed[0].hasPrefix("payment-"))
            #expect(fault.summary == "kills one of payment at once (\(changed[0]))")
        }
    }

    @Test func aPodFailureLastsUntilItIsRemoved() async throws {
        try await withEngine { engine, supervisor in
            let failure = try experiment("PodChaos", "  action: pod-failure\n  mode: all\n  duration: 30s")
            let fault = try await engine.inject(failure, runID: "r", seed: 1)
            #expect(fault.summary == "keeps payment down (payment-0, payment-1)")
            #expect(supervisor.snapshot().map(\.state) == [.held, .held, .up, .up])
            #expect(try await fault.readings().map { Dose($0).delivered } == [2])
            try await fault.remove()
            #expect(supervisor.snapshot().allSatisfy { $0.state == .up })
            try await fault.remove()
        }
    }

    @Test func aSelectorByPhaseSeesWhoIsDown() async throws {
        try await withEngine { engine, supervisor in
            try supervisor.hold("inventory-0")
            try await eventually("down") { supervisor.status(of: "inventory-0")?.state == .held }
            let text = "  action: pod-kill\n  mode: all"
            let all = try experiment("PodChaos", text, selector: "labelSelectors: {tier: inventory}")
            let running = try experiment(
                "PodChaos", text, selector: "labelSelectors: {tier: inventory}, podPhaseSelectors: [Running]")
            #expect(engine.refusal(of: all) == nil)
            await #expect(throws: Refusal.self) { _ = try await engine.inject(running, runID: "r", seed: 1) }
            try supervisor.release("inventory-0")
        }
    }

    @Test(arguments: ["payment-service", "payment", "sidecar"])
    func aContainerIsKilledByItsName(container: String) async throws {
        try await withEngine { engine, supervisor in
            let kill = try experiment(
                "PodChaos", "  mode: all\n  action: container-kill\n  containerNames: [\(container)]")
            let before = pids(supervisor)
            guard container != "sidecar" else {
                let refusal = try #require(engine.refusal(of: kill))
                #expect(refusal.field == "spec.containerNames" && refusal.line == 8)
                #expect(refusal.reason.contains("payment-0 has no container 'sidecar'"))
                #expect(refusal.reason.contains("'payment-service'"))
                await #expect(throws: Refusal.self) { _ = try await engine.inject(kill, runID: "r", seed: 1) }
                #expect(pids(supervisor) == before)
                return
            }
            let fault = try await engine.inject(kill, runID: "r", seed: 1)
            #expect(try await fault.readings().map { Dose($0).effective } == [true])
            #expect(!["payment-0", "payment-1"].compactMap { before[$0] }.contains(where: isAlive))
            try await fault.remove()
            try await eventually("back") { supervisor.snapshot().allSatisfy { $0.state == .up } }
            let after = pids(supervisor)
            try await fault.remove()
            #expect(pids(supervisor) == after)
        }
    }

    @Test func stressNamesItsContainerToo() async throws {
        try await withEngine { engine, _ in
            let stress = "  mode: all\n  stressors: {cpu: {workers: 1}}\n  containerNames: "
            #expect(engine.refusal(of: try experiment("StressChaos", stress + "[payment]")) == nil)
            let refusal = engine.refusal(of: try experiment("StressChaos", stress + "[payment, proxy]"))
            #expect(refusal?.field == "spec.containerNames")
        }
    }

    /// What the workers are started with; they hold nothing, so that the fault is not in force and leaves nothing.
    @Test func stressIsHandedToTheWorkersAsItIsWritten() async throws {
        let log = folder.file("workers")
        try await withEngine(worker: "echo \"$@\" >> '\(log)'; exit 9") { engine, _ in
            let stress = try experiment(
                "StressChaos", "  mode: one\n  stressors: {memory: {workers: 1, size: 1MB, oomScoreAdj: 900}}")
            await #expect(throws: StressError.self) { _ = try await engine.inject(stress, runID: "r", seed: 1) }
            #expect(folder.text("workers").hasPrefix("memory --bytes 1000000 --oom-score-adj=900 "))
            let words = try experiment("StressChaos", "  mode: one\n  stressngStressors: --hdd 1 --hdd-bytes 1M")
            await #expect(throws: StressError.self) { _ = try await engine.inject(words, runID: "r", seed: 1) }
            #expect(folder.text("workers").contains("disk --folder \(folder.path) --bytes 1048576 --worker 0 "))
        }
    }

    @Test func stressBeyondTheMachineIsRefusedWithItsPlace() async throws {
        try await withEngine { engine, _ in
            for (spec, field) in [
                ("stressors: {memory: {workers: 1, size: 100%}}", "spec.stressors.memory.size"),
                ("stressngStressors: --hdd 1 --hdd-bytes 900t", "spec.stressngStressors"),
            ] {
                let stress = try experiment("StressChaos", "  mode: all\n  \(spec)")
                let refusal = await #expect(throws: Refusal.self) {
                    _ = try await engine.inject(stress, runID: "r", seed: 1)
                }
                #expect(refusal?.field == field && refusal?.line == 7)
            }
        }
    }
}
