import Shared
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
        ("expected docker:// but got contain", ClusterError.Kind.notInjected, "chaosDaemon.runtime=containerd"),
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

    /// Of a NetworkChaos the step is told and not why: each may pass, and says what it means when it has not.
    @Test(arguments: [
        ("unable to flush ip sets for pod a", ClusterError.Kind.notInjected, "doctor --target kubernetes"),
        ("unable to set ip tables chains for pod a", .notInjected, "iptable_filter xt_set"),
        ("unable to set tcs for pod a", .netemMissing, "aarch64 has no such modules"),
        ("cannot find daemonIP on node minikube", .notInjected, "chaos-daemon runs on the pod's node"),
    ])
    func aStepThatFailsUntilTheDeadlineIsExplained(message: String, kind: ClusterError.Kind, remedy: String) {
        var life = life()
        let failing = object([("a", "Not Injected/Wait"), ("b", "Injected")], failure: message)
        #expect(life.saw(failing) == .waiting)
        let error = life.overdue("30s")
        #expect(error.kind == kind && error.detail.contains(message))
        #expect(error.remedy?.contains(remedy) == true, "\(error)")
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
        func overdue(
            _ object: ChaosObject, pods: Set<String> = ["a", "b"], unsettled: Set<String> = []
        ) -> RemovalLife.Overdue {
            var life = RemovalLife(name: "NetworkChaos/x")
            life.saw(object)
            return life.overdue(pods: pods, unsettled: unsettled, "30s")
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
        #expect(error.detail == "NetworkChaos/x could not be recovered in a after 30s: ip sets")
        #expect(error.remedy?.hasSuffix("kubectl delete pod a") == true)
        // The daemon may be about to do it.
        #expect(!isForced(overdue(object([("a", "Not Injected/Wait")], deleted: true))))
        // Not held by a finalizer.
        #expect(!isForced(overdue(object(nil, finalizers: [], deleted: true))))
    }

    /// The other end of a network fault is injected and recovered in name only, and what fails there holds up nothing.
    @Test(arguments: [
        ("loss", "to", ".Target", true), ("loss", nil, ".Target", true), ("loss", "to", ".", false),
        ("delay", "from", ".", true), ("delay", "from", ".Target", false), ("loss", "both", ".Target", false),
        ("partition", "to", ".Target", false),
    ])
    func whereNothingIsPutThereIsNothingToRecover(action: String, direction: String?, key: String, isIdle: Bool) {
        var object = object(
            [("a", "Injected/Wait")], failure: "ip sets", deleted: true, operation: "Recover", counts: (1, 0))
        object.spec = .init(action: action, direction: direction)
        object.status?.experiment?.containerRecords?[0].selectorKey = key
        #expect(object.records.map(object.isIdle) == [isIdle])
        var life = RemovalLife(name: "NetworkChaos/x")
        life.saw(object)
        #expect(life.stuckPods == (isIdle ? [] : ["a"]))
        if case .stays = life.overdue(pods: ["a"], "30s") { #expect(!isIdle) } else { #expect(isIdle) }
    }

    @Test func whatMayBeInForceInPartIsNotForcedAway() {
        func isForced(_ failure: String, unsettled: Set<String>) -> Bool {
            var life = RemovalLife(name: "NetworkChaos/x")
            life.saw(object([("a", "Not Injected/Wait")], failure: failure, deleted: true))
            switch life.overdue(pods: ["a"], unsettled: unsettled, "30s") {
            case .force: return true
            case .stays(let error):
                #expect(error.detail.hasPrefix("NetworkChaos/x may be in force in part in a after 30s: unable"))
                #expect(error.remedy?.hasSuffix("kubectl delete pod a") == true)
                return false
            }
        }
        // The first step is the ip sets', which alone drop nothing.
        #expect(isForced("unable to flush ip sets for pod a", unsettled: ["a"]))
        #expect(!isForced("unable to set ip tables chains for pod a", unsettled: ["a"]))
        #expect(!isForced("unable to set tcs for pod a", unsettled: ["a"]))
        #expect(isForced("unable to set tcs for pod a", unsettled: []))
    }

    @Test func whatIsWantedOfAPodIsThereOnceItWasSeen() {
        func object(_ seen: Int64?, _ message: String? = nil) -> PodRulesObject {
            var metadata = ObjectMetadata(name: "a")
            metadata.generation = 3
            return PodRulesObject(
                metadata: metadata, spec: nil, status: .init(failedMessage: message, observedGeneration: seen))
        }
        #expect(object(3).isSettled && object(4, "").isSettled)
        #expect(!object(2).isSettled && !object(nil).isSettled)
        #expect(!object(3, "unable to flush ip sets for pod a").isSettled)
        // Of somebody else's: what comes before it is done, and it begins by taking all of ours out.
        #expect(object(3, "unable to set tcs for pod a").isSettled)
    }

    @Test func onlyTheItemsOfOneSourceAreTakenOut() {
        func item(_ name: String, _ source: String) -> JSONValue {
            .object(["name": .string(name), "source": .string(source)])
        }
        let object = PodRulesObject(
            metadata: ObjectMetadata(name: "a"),
            spec: .object([
                "ipsets": .array([item("1", "ns/x"), item("2", "ns/y"), item("3", "ns/x")]),
                "tcs": .array([item("4", "ns/xy")]), "iptables": .array([item("5", "ns/x")]),
            ]))
        #expect(
            object.lists(["ipsets", "iptables", "tcs", "actions"], without: "ns/x")
                == ["ipsets": .array([item("2", "ns/y")]), "iptables": .array([])])
    }
}
