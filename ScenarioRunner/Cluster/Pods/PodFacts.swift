import Experiments

/// One pod, as far as experiments and discovery look at it.
public struct PodFacts: Sendable, Equatable {
    public struct Container: Sendable, Equatable {
        public let name: String
        public let isReady: Bool
        public let restarts: Int
        /// `containerd://3f2c...`; nil while it has not started.
        public let id: String?

        public init(name: String, isReady: Bool, restarts: Int, id: String?) {
            self.name = name
            self.isReady = isReady
            self.restarts = restarts
            self.id = id
        }
    }

    public let name: String
    public let namespace: String
    public let uid: String
    public var labels: [String: String] = [:]
    public var annotations: [String: String] = [:]
    /// `Running`, `Pending`, `Failed`, `Succeeded`, `Unknown`.
    public var phase = "Pending"
    /// Its readiness probes pass.
    public var isReady = false
    public var isBeingDeleted = false
    /// Nil while it has none.
    public var address: String?
    /// Nil while it is not placed.
    public var node: String?
    /// In the order of the pod's spec.
    public var containers: [Container] = []
    /// `ReplicaSet/payment-service-5d4f8c7b9`: what replaces it when it is gone; nil for a lone pod.
    public var owner: String?

    public init(name: String, namespace: String, uid: String) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
    }

    /// What selectors look at.
    public var replica: ReplicaFacts {
        ReplicaFacts(name: name, namespace: namespace, labels: labels, phase: phase)
    }
}

/// A pod as the API server shows it (`core/v1`).
struct PodObject: KubernetesObject {
    struct Spec: Decodable, Sendable {
        struct Container: Decodable, Sendable { let name: String }
        let nodeName: String?
        let containers: [Container]?
    }

    struct Status: Decodable, Sendable {
        struct Condition: Decodable, Sendable {
            let type: String
            let status: String
        }

        struct Container: Decodable, Sendable {
            let name: String
            let ready: Bool?
            let restartCount: Int?
            let containerID: String?
        }

        let phase: String?
        let podIP: String?
        let conditions: [Condition]?
        let containerStatuses: [Container]?
    }

    let metadata: ObjectMetadata
    let spec: Spec?
    let status: Status?
}

extension PodFacts {
    /// - Parameter namespace: where it was asked for.
    init(_ pod: PodObject, namespace: String) {
        self.init(
            name: pod.metadata.name, namespace: pod.metadata.namespace ?? namespace, uid: pod.metadata.uid ?? "")
        labels = pod.metadata.labels ?? [:]
        annotations = pod.metadata.annotations ?? [:]
        phase = pod.status?.phase ?? "Unknown"
        isReady = pod.status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false
        isBeingDeleted = pod.metadata.deletionTimestamp != nil
        address = pod.status?.podIP.flatMap { $0.isEmpty ? nil : $0 }
        node = pod.spec?.nodeName.flatMap { $0.isEmpty ? nil : $0 }
        owner = pod.metadata.ownerReferences?.first { $0.controller ?? false }.map { "\($0.kind)/\($0.name)" }
        containers = (pod.spec?.containers ?? []).map { container in
            let status = pod.status?.containerStatuses?.first { $0.name == container.name }
            return Container(
                name: container.name, isReady: status?.ready ?? false, restarts: status?.restartCount ?? 0,
                id: status?.containerID.flatMap { $0.isEmpty ? nil : $0 })
        }
    }
}
