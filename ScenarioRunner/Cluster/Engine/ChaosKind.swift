/// A kind of Chaos Mesh that the engine makes objects of.
public struct ChaosKind: Sendable, Hashable {
    /// `NetworkChaos`.
    public let kind: String
    /// As in the paths of the API: `networkchaos`.
    public let plural: String

    public static let group = "chaos-mesh.org"
    public static let version = "v1alpha1"

    public static let network = ChaosKind(kind: "NetworkChaos", plural: "networkchaos")
    public static let stress = ChaosKind(kind: "StressChaos", plural: "stresschaos")
    public static let pod = ChaosKind(kind: "PodChaos", plural: "podchaos")
    public static let http = ChaosKind(kind: "HTTPChaos", plural: "httpchaos")
    public static let io = ChaosKind(kind: "IOChaos", plural: "iochaos")
    public static let schedule = ChaosKind(kind: "Schedule", plural: "schedules")
    public static let workflow = ChaosKind(kind: "Workflow", plural: "workflows")

    /// It makes objects of its own, which are to go before it.
    var ownsOthers: Bool { self == .schedule || self == .workflow }

    /// The label by which the objects that one of this kind has made are known; its value is that one's name
    /// (`workflownode_types.go`, `common_types.go`).
    var labelOfParts: String { self == .workflow ? "chaos-mesh.org/workflow" : "managed-by" }

    /// In the order in which they are swept: what starts others goes first.
    public static let all: [ChaosKind] = [.workflow, .schedule, .network, .stress, .pod, .http, .io]

    /// The one of a manifest's `kind`; nil when the engine makes no such objects.
    public init?(_ kind: String) {
        guard let known = Self.all.first(where: { $0.kind == kind }) else { return nil }
        self = known
    }

    private init(kind: String, plural: String) {
        self.kind = kind
        self.plural = plural
    }
}
