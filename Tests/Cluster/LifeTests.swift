import Testing

@testable import Cluster

/// The life of an object, without any cluster.
@Suite struct LifeTests {
    private func object(
        _ records: [(String, String)]?, selected: Bool? = nil, injected: Bool = false, desired: String = "Run",
        finalizers: [String] = [ChaosObject.finalizer], failure: String? = nil, deleted: Bool = false,
        operation: String = "Apply", counts: (Int, Int) = (0, 0)
    ) -> ChaosObject {
        var metadata = ObjectMetadata(name: "x")
        metadata.finalizers = finalizers
        metadata.deletionTimestamp = deleted ? "2026-01-01T00:00:00Z" : nil
        var status = ChaosObject.Status()
        status.conditions = [
            .init(type: "Selected", status: selected ?? (records != nil) ? "True" : "False"),
            .init(type: "AllInjected", status: injected ? "True" : "False"),
        ]
        status.experiment = .init(
            desiredPhase: desired,
            containerRecords: records?.map { id, phase in
                .init(
                    id: "ns/\(id)", selectorKey: ".", phase: phase, injectedCount: counts.0, recoveredCount: counts.1,
                    events: failure.map { [.init(type: "Failed", operation: operation, message: $0)] })
            })
        return ChaosObject(metadata: metadata, status: status)
    }

    private func life() -> InjectionLife { InjectionLife(name: "NetworkChaos/x", pods: ["a", "b"]) }

    @Test func itIsInjectedWhenRecordsAndConditionSayIt() {
        var life = life()
        #expect(life.saw(ChaosObject(metadata: ObjectMetadata(name: "x"))) == .waiting)
        #expect(life.saw(object(nil)) == .waiting)
        // Before the first injection, all are "not injected", which Chaos Mesh calls recovered.
        #expect(life.saw(object([("a", "Not Injected"), ("b", "Not Injected/Wait")])) == .waiting)
        #expect(life.saw(object([("a", "Injected"), ("b", "Injected")])) == .waiting, "the condition is behind")
        #expect(life.saw(object([("a", "Injected"), ("b", "Injected/Wait")], injected: true)) == .waiting)
        #expect(life.saw(object([("a", "Injected"), ("b", "Injected")], injected: true)) == .injected)
    }

    @Test func aTransientFailureIsWaitedOut() {
        var life = life()
        let failing = object([("a", "Not Injected"), ("b", "Injected")], failure: "object has been modified")
        #expect(life.saw(failing) == .waiting)
        #expect(life.overdue("30s").detail == "Chaos Mesh could not inject a: object has been modified")
        #expect(life.saw(object([("a", "Injected"), ("b", "Injected")], injected: true)) == .injected)
    }

    @Test(arguments: [
        ("msg: Error: Specified qdisc not found.\n", ClusterError.Kind.netemMissing, "modprobe sch_netem"),
        ("msg: Error: Specified qdisc kind is unknown.", .netemMissing, "modprobe sch_netem"),
        ("expected docker:// but got contain", .notInjected, "chaosDaemon.runtime=containerd"),
        ("It's dangerous to inject network chaos on a pod(ns/a) with `hostNetwork`", .notInjected, "of their own"),
    ])
    func aLastingTroubleIsNotWaitedFor(message: String, kind: ClusterError.Kind, remedy: String) {
        var life = life()
        guard
            case .failed(let error) = life.saw(
                object([("a", "Not Injected/Wait"), ("b", "Injected")], failure: message))
        else {
            Issue.record("still waiting")
            return
        }
        #expect(error.kind == kind)
        #expect(error.remedy?.contains(remedy) == true)
    }

    @Test func whatElseEndsTheWait() {
        func failure(_ object: ChaosObject) -> String {
            var life = life()
            guard case .failed(let error) = life.saw(object) else { return "" }
            return error.detail
        }
        #expect(failure(object([("a", "Injected")], injected: true)).contains("did not select b"))
        #expect(failure(object(nil, desired: "Stop")).contains("was stopped before"))
        #expect(failure(object(nil, deleted: true)).contains("deleted by somebody else"))
    }

    @Test func whatIsSaidWhenTheTimeIsUp() {
        var life = life()
        #expect(life.overdue("30s").kind == .controllerSilent)
        _ = life.saw(object(nil, finalizers: []))
        #expect(life.overdue("30s").kind == .noPodMatches)
        #expect(life.overdue("30s").remedy?.contains("chaos-mesh.org/inject=enabled") == true)
        _ = life.saw(object([("a", "Not Injected/Wait"), ("b", "Injected")]))
        #expect(life.overdue("30s").detail == "Chaos Mesh has not injected NetworkChaos/x within 30s; still waiting: a")
        _ = life.saw(
            object(
                [("a", "Not Injected/Wait"), ("b", "Injected")],
                failure: "rpc error: code = Unavailable desc = connection refused"))
        #expect(life.overdue("30s").remedy?.contains("chaos-daemon runs") == true)
    }

    // MARK: Out

    @Test func finalizersAreForcedOnlyWhereNothingCanBeInAPod() {
        func overdue(_ object: ChaosObject, pods: Set<String> = ["a", "b"]) -> RemovalLife.Overdue {
            var life = RemovalLife(name: "NetworkChaos/x")
            life.saw(object)
            return life.overdue(pods: pods, "30s")
        }
        func isForced(_ outcome: RemovalLife.Overdue) -> Bool {
            if case .force = outcome { true } else { false }
        }
        // The injection never took, and is tried for ever.
        #expect(isForced(overdue(object([("a", "Not Injected/Wait")], failure: "qdisc", deleted: true))))
        #expect(isForced(overdue(object([("a", "Not Injected")], deleted: true))))
        #expect(isForced(overdue(object(nil, deleted: true))))
        // It took, and was not recovered: the pod has it still, unless it is gone.
        let stuck = object(
            [("a", "Injected"), ("b", "Not Injected")], failure: "ip sets", deleted: true, operation: "Recover",
            counts: (1, 0))
        #expect(isForced(overdue(stuck, pods: ["b"])))
        guard case .stays(let error) = overdue(stuck) else {
            Issue.record("forced away")
            return
        }
        #expect(error.detail == "NetworkChaos/x could not be recovered in a within 30s: ip sets")
        #expect(error.remedy?.hasSuffix("kubectl delete pod a") == true)
        // The daemon may be about to do it.
        #expect(!isForced(overdue(object([("a", "Not Injected/Wait")], deleted: true))))
        // Not held by a finalizer.
        #expect(!isForced(overdue(object(nil, finalizers: [], deleted: true))))
    }

    @Test func aForcedOneThatStaysIsReported() {
        var life = RemovalLife(name: "NetworkChaos/x")
        life.saw(object(nil, deleted: true))
        life.forced()
        guard case .stays(let error) = life.overdue(pods: [], "10s") else {
            Issue.record("forced twice")
            return
        }
        #expect(error.detail.contains("10s after its finalizers were given up"))
    }
}
