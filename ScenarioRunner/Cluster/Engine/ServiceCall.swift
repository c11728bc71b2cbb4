import Experiments

/// That the pods of one service call those of another by the other's Service.
///
/// A pod's packets to a Service bear the Service's own address (`ClusterIP`) until they have left the pod: kube-proxy
/// puts a pod's address there in the node's network. Chaos Mesh knows a network fault's target by the addresses of its
/// pods, and looks at the packets inside of the caller's pod (`controllers/podnetworkchaos/ipset/ipset.go`,
/// `pkg/chaosdaemon/tc_server.go`): alone it would touch none of them. So the Service is named as an external target
/// besides. The pods' addresses stay in, for networks that choose the pod when the connection is made, in the caller's
/// pod already.
public struct ServiceCall: Sendable, Hashable {
    /// The label `app` of the pods that call.
    public let caller: String
    /// The name of the Service, and the label `app` of its pods.
    public let service: String
    public let port: Int

    public init(caller: String, service: String, port: Int) {
        self.caller = caller
        self.service = service
        self.port = port
    }

    /// `inventory-service.payment-chaos.svc:5003`: Chaos Mesh's controller looks it up when the fault begins, so that
    /// nobody here needs to know the address, nor the right to read Services.
    func target(in namespace: String) -> String { "\(service).\(namespace).svc:\(port)" }
}

/// One object of those that a network fault takes.
struct NetworkPart: Sendable, Equatable {
    /// The target's pods are those that send: its object has source and target exchanged.
    let isReversed: Bool
    /// Services that the senders call the others by, to be named besides: `inventory-service.payment-chaos.svc:5003`.
    let services: [String]
}

extension NetworkPart {
    /// How an experiment is made in a cluster whose services call each other so. One object as the manifest says,
    /// wherever that does: only where senders call the others by a Service, the object has to name the Service, which
    /// Chaos Mesh's webhook takes with `direction: to` alone (`networkchaos_webhook.go`). `from` is `to` the other way
    /// round then, and `both` is two objects.
    ///
    /// A partition needs none of this: it also drops what arrives in the target's pods, where the addresses are those of
    /// pods.
    ///
    /// - Parameter all: the pods of the namespace.
    /// - Returns: nil where the object is the manifest's own.
    /// - Throws: ``Refusal`` where only some pods of such a Service are chosen.
    static func parts(
        of experiment: Experiment, _ choice: PodChoice, all: [PodFacts], calls: [ServiceCall], namespace: String
    ) throws(Refusal) -> [NetworkPart]? {
        guard case .network(let network) = experiment.spec, network.action != .partition, let targets = choice.targets
        else { return nil }
        var sent: [String] = []
        var returned: [String] = []
        if network.direction != .from {
            sent = try services(choice.pods, targets, "spec.target", experiment, all, calls, namespace)
        }
        if network.direction != .to {
            returned = try services(targets, choice.pods, "spec", experiment, all, calls, namespace)
        }
        guard !sent.isEmpty || !returned.isEmpty else { return nil }
        let there = NetworkPart(isReversed: false, services: sent)
        let back = NetworkPart(isReversed: true, services: returned)
        return switch network.direction {
        case .to: [there]
        case .from: [back]
        case .both: [there, back]
        }
    }

    /// The Services by which `senders` call `receivers`.
    private static func services(
        _ senders: [PodFacts], _ receivers: [PodFacts], _ field: String, _ experiment: Experiment, _ all: [PodFacts],
        _ calls: [ServiceCall], _ namespace: String
    ) throws(Refusal) -> [String] {
        var names: [String] = []
        for call in calls where senders.contains(where: { $0.app == call.caller }) {
            let chosen = Set(receivers.filter { $0.app == call.service }.map(\.name))
            guard !chosen.isEmpty else { continue }
            let serving = all.filter { $0.app == call.service && $0.phase == "Running" && !$0.isBeingDeleted }
            let missing = serving.map(\.name).filter { !chosen.contains($0) }
            guard missing.isEmpty else {
                throw experiment.refusal(
                    "\(field).selector",
                    "chooses \(chosen.count) of the \(serving.count) pods of \(call.service), and \(call.caller) calls "
                        + "all of them by one address: which of them a packet is for is not known before it has left "
                        + "the caller's pod, where the fault is. Choose all of them with mode: all, or partition them")
            }
            names.append(call.target(in: namespace))
        }
        return names
    }

    /// What is done besides, and why, for the plan; nil for nothing.
    var reason: String? {
        guard !services.isEmpty else { return nil }
        return "naming \(services.joined(separator: ", ")) as well, for the pods are called by that address"
    }
}

extension PodFacts {
    fileprivate var app: String? { labels["app"] }
}
