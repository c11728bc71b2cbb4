/// One host of the lab: a network namespace with one cable to the router.
public struct LabHost: Sendable, Equatable {
    /// `client`, or a replica's name. It is also the namespace's name.
    public let name: String
    public let address: String

    /// The router's end of the cable; the host's own is `eth0`.
    ///
    /// The kernel takes 15 characters. A longer name loses letters of the tier, never the index:
    /// `v-notificatio-0`.
    public var routerInterface: String {
        guard name.count > 13, let dash = name.lastIndex(of: "-") else { return "v-\(name)" }
        let index = name[dash...]
        return "v-\(name.prefix(13 - index.count))\(index)"
    }
}

extension LabTopology {
    /// Every host but the router: the client, then the replicas.
    public var hosts: [LabHost] {
        [LabHost(name: Self.clientHost, address: Self.clientAddress)]
            + replicas.map { LabHost(name: $0.name, address: $0.address) }
    }
}
