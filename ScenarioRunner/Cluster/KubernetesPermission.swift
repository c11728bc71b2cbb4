/// One thing that the runner does in its namespace: what its Role has to allow.
public struct KubernetesPermission: Sendable, Hashable, CustomStringConvertible {
    /// Empty for the core group.
    public let group: String
    /// The plural: `networkchaos`.
    public let resource: String
    public let verb: String

    public init(group: String, resource: String, verb: String) {
        self.group = group
        self.resource = resource
        self.verb = verb
    }

    /// Every call that this module makes in the namespace, and no more.
    public static let all: [KubernetesPermission] =
        ["list", "watch"].map { .init(group: "", resource: "pods", verb: $0) }
        + ChaosKind.all.flatMap { kind in
            ["create", "delete", "get", "list", "patch", "watch"].map {
                .init(group: ChaosKind.group, resource: kind.plural, verb: $0)
            }
        }
        // What is half-way in is taken out of the pods' own objects.
        + ChaosKind.all.compactMap(\.placeOfRules).flatMap { place in
            ["get", "patch"].map { .init(group: ChaosKind.group, resource: place.plural, verb: $0) }
        }
        // Chaos Mesh's own check asks for these by their kinds in lower case (`pkg/webhook/validate_auth.go`), which for
        // two of them is not what the API calls them.
        + ["schedule", "workflow"].map { .init(group: ChaosKind.group, resource: $0, verb: "create") }

    /// `create networkchaos.chaos-mesh.org`, `list pods`.
    public var description: String { "\(verb) \(resource)\(group.isEmpty ? "" : ".\(group)")" }
}
