/// An object of Chaos Mesh, as far as its life shows (`api/v1alpha1/common_types.go`, `ChaosStatus`).
struct ChaosObject: KubernetesObject, Equatable {
    struct Condition: Decodable, Sendable, Equatable {
        let type: String
        let status: String
        var reason: String?
    }

    /// One pod or container that the object acts on.
    struct Record: Decodable, Sendable, Equatable {
        struct Event: Decodable, Sendable, Equatable {
            /// `Succeeded` or `Failed`.
            let type: String
            /// `Apply` or `Recover`.
            let operation: String
            var message: String?
        }

        /// `payment-chaos/payment-0`, or with the container's name and perhaps a path behind it.
        let id: String
        /// `.` for the selector, `.Target` for the target's.
        var selectorKey: String?
        /// `Not Injected`, `Not Injected/Wait`, `Injected`, `Injected/Wait`.
        let phase: String
        var injectedCount: Int?
        var recoveredCount: Int?
        var events: [Event]?
    }

    struct Experiment: Decodable, Sendable, Equatable {
        /// `Run` or `Stop`.
        var desiredPhase: String?
        var containerRecords: [Record]?
    }

    struct Status: Decodable, Sendable, Equatable {
        var conditions: [Condition]?
        var experiment: Experiment?
        /// Of a schedule.
        var time: String?
        /// Of a workflow.
        var entryNode: String?
        var startTime: String?
        var endTime: String?
    }

    /// Of a NetworkChaos; others have no direction.
    struct Spec: Decodable, Sendable, Equatable {
        var action: String?
        /// `to` where nothing is said.
        var direction: String?
    }

    let metadata: ObjectMetadata
    var spec: Spec?
    var status: Status?
}

extension ChaosObject {
    /// By the controller, before it does anything; without it, a deletion takes nothing back.
    static let finalizer = "chaos-mesh/records"
    /// Has the controller give up its finalizers, done or not (`controllers/common/finalizers/controller.go`), unless an
    /// attempt of a record has just failed: then it does not get there (`controllers/common/pipeline/pipeline.go`).
    static let forcedFinalizers = ("chaos-mesh.chaos-mesh.org/cleanFinalizer", "forced")

    var records: [Record] { status?.experiment?.containerRecords ?? [] }
    var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// Whether the controller has touched it at all.
    var isNoticed: Bool {
        !(metadata.finalizers ?? []).isEmpty || !(status?.conditions ?? []).isEmpty || !records.isEmpty
    }

    /// The pods that it is about to be put into: asked for, and not there yet.
    var podsHalfWayIn: Set<String> { Set(records.filter(\.isHalfWayIn).map(\.pod)) }

    /// Whether nothing is put into the record's pod: all but a partition acts where packets leave, and one that is said
    /// to be injected at the other end is there in name only (`networkchaos/trafficcontrol`).
    func isIdle(_ record: Record) -> Bool {
        guard let spec, spec.action != "partition" else { return false }
        switch spec.direction {
        case "both": return false
        case "from": return record.selectorKey == "."
        default: return record.selectorKey == ".Target"
        }
    }

    /// Nil while the condition is not there.
    func condition(_ type: String) -> Bool? {
        status?.conditions?.first { $0.type == type }.map { $0.status == "True" }
    }
}

extension ChaosObject.Record {
    var isInjected: Bool { phase == "Injected" }
    var isRecovered: Bool { phase == "Not Injected" }
    var isHalfWayIn: Bool { phase == "Not Injected/Wait" }

    /// The pod's name.
    var pod: String {
        let parts = id.split(separator: "/", maxSplits: 2)
        return parts.count > 1 ? String(parts[1]) : id
    }

    /// What the object acts on, for people: `payment-0`, `payment-0/payment-service`.
    var target: String {
        let parts = id.split(separator: "/", maxSplits: 1)
        return parts.count > 1 ? String(parts[1]) : id
    }

    /// Why the last attempt failed; nil when it did not.
    func failure(_ operation: String) -> String? {
        guard let last = events?.last(where: { $0.operation == operation }), last.type == "Failed" else { return nil }
        return last.message ?? "no reason is given"
    }

    /// Whether an attempt is known to have failed when a part of it was done.
    var hasFailedPartly: Bool {
        events?.contains {
            $0.operation == "Apply" && $0.type == "Failed" && ChaosTrouble.isOfLaterStep($0.message ?? "")
        } ?? false
    }
}
