import Shared

/// What Chaos Mesh keeps of one object in each pod's own: `PodNetworkChaos`, `PodIOChaos` or `PodHttpChaos`, named as the
/// pod (`controllers/chaosimpl/*/pod*chaosmanager`).
///
/// ```
///   NetworkChaos --Apply adds, Recover takes out--> PodNetworkChaos --tried until it succeeds--> pod
/// ```
///
/// While it is tried in vain, Chaos Mesh recovers nothing: what was added stays, fails whatever else wants something of
/// the pod, and comes into force once the cause is put right, also when the object that it was for is long gone. So it is
/// taken out here, which is what Recover would do.
struct PodRules: Sendable {
    /// The kind of the pods' own objects, and the lists in their spec that consist of what many have added.
    struct Place: Sendable {
        let plural: String
        let lists: [String]

        var resource: KubernetesResource {
            KubernetesResource(group: ChaosKind.group, version: ChaosKind.version, plural: plural)
        }
    }

    enum State: Sendable, Equatable {
        /// Nothing of the object is in the pod.
        case clean
        /// Nothing of it is wanted any more, but what is in the pod has not been brought there yet.
        case unsettled
    }

    let api: KubernetesAPI
    let place: Place
    /// As it is named there: `payment-chaos/loss-x7k2q`.
    let source: String

    /// Nil for kinds that act without.
    init?(of kind: ChaosKind, _ name: String, api: KubernetesAPI) {
        guard let place = kind.placeOfRules else { return nil }
        self.api = api
        self.place = place
        source = "\(api.access.namespace)/\(name)"
    }

    /// Others write the same object at the same time.
    private static let attempts = 8

    /// Takes out of the pod's object what is there of ours.
    ///
    /// - Throws: ``ClusterError``, `CancellationError`.
    func clear(_ pod: String) async throws -> State {
        var attempt = 1
        while true {
            do {
                let object: PodRulesObject = try await api.get(place.resource, pod)
                let rest = object.lists(place.lists, without: source)
                guard !rest.isEmpty else { return object.isSettled ? .clean : .unsettled }
                try await api.patch(
                    place.resource, pod,
                    .object([
                        "metadata": .object(["resourceVersion": .string(object.metadata.resourceVersion ?? "")]),
                        "spec": .object(rest),
                    ]), as: PodRulesObject.self)
                return .unsettled
            } catch let error as ClusterError where ChaosDesk.isGone(error) {
                return .clean
            } catch let error as ClusterError where error.kind == .conflict && attempt < Self.attempts {
                attempt += 1
            }
        }
    }
}

extension ChaosKind {
    var placeOfRules: PodRules.Place? {
        switch self {
        case .network: .init(plural: "podnetworkchaos", lists: ["ipsets", "iptables", "tcs"])
        case .io: .init(plural: "podiochaos", lists: ["actions"])
        case .http: .init(plural: "podhttpchaos", lists: ["rules"])
        default: nil
        }
    }
}

/// A pod's own object, as the API server shows it (`api/v1alpha1/pod*chaos_types.go`).
struct PodRulesObject: KubernetesObject {
    struct Status: Decodable, Sendable {
        var failedMessage: String?
        var observedGeneration: Int64?
    }

    let metadata: ObjectMetadata
    var spec: JSONValue?
    var status: Status?

    /// Those of the lists that have something of `source`, without it.
    func lists(_ names: [String], without source: String) -> [String: JSONValue] {
        names.reduce(into: [:]) { rest, name in
            guard case .array(let items)? = spec?[name] else { return }
            let kept = items.filter { $0["source"]?.text != source }
            if kept.count < items.count { rest[name] = .array(kept) }
        }
    }

    /// What the spec says is what is in the pod. Where only the last step fails, over what somebody else wants, the ones
    /// before it are done, and that one begins by taking everything out (`tc_server.go`).
    var isSettled: Bool {
        guard let seen = status?.observedGeneration, seen >= metadata.generation ?? .max else { return false }
        let message = status?.failedMessage ?? ""
        return message.isEmpty || ChaosTrouble.isOfLastStep(message)
    }
}
