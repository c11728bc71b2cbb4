import Experiments

/// Where the packets to an external target go in the lab.
///
/// ```
///   ExternalTarget --names of the private /etc/hosts, addresses of hosts and services--> ReachedTarget
///                                                          '--none--> UnreachableTarget: the lab is sealed
/// ```
struct ReachedTarget: Equatable {
    /// What a rule looks for: the hosts' own addresses, and virtual ones.
    let ends: [PacketEnd]
    /// The hosts at the other end: for a service each of its replicas.
    let hosts: [String]
}

/// An external target to which no replica of the lab can send a packet that a fault could hit.
struct UnreachableTarget: Error, Equatable {
    let reason: String
}

extension LabTopology {
    /// - Throws: ``UnreachableTarget``.
    func reach(_ target: ExternalTarget) throws -> ReachedTarget {
        let found = try spots(of: target)
        let open = target.port.map { port in found.filter { $0.port == port } } ?? found
        guard !open.isEmpty else {
            let ports = Set(found.compactMap(\.port)).sorted().map(String.init)
            let served = ports.isEmpty ? "serves none" : "serves \(ports.joined(separator: ", "))"
            throw UnreachableTarget(
                reason: "\(target) would be hit by nothing: \(target.placeText) \(served) in the local lab")
        }
        let ends = try [false, true].compactMap { isVirtual in
            let addresses = open.filter { $0.isVirtual == isVirtual }.map(\.address)
            return addresses.isEmpty ? nil : try PacketEnd(addresses, isVirtual: isVirtual, port: target.port)
        }
        let reached = Set(open.flatMap(\.hosts))
        return ReachedTarget(ends: ends, hosts: hosts.map(\.name).filter(reached.contains))
    }

    /// An address that packets cross the router to.
    private struct Spot {
        let names: [String]
        let address: String
        let isVirtual: Bool
        /// Where somebody listens; nil for the client, where nobody does.
        let port: Int?
        let hosts: [String]
    }

    private var spots: [Spot] {
        services.map {
            Spot(
                names: $0.names, address: $0.virtualAddress, isVirtual: true, port: $0.port,
                hosts: $0.replicas.map(\.name))
        }
            + hosts.map { host in
                Spot(
                    names: [host.name], address: host.address, isVirtual: false,
                    port: replicas.first { $0.name == host.name }?.port, hosts: [host.name])
            }
    }

    private func spots(of target: ExternalTarget) throws -> [Spot] {
        let found: [Spot]
        switch target.place {
        case .host(let name):
            if name == Self.runnerName { throw UnreachableTarget(reason: Self.spared) }
            found = spots.filter { $0.names.contains(name.lowercased()) }
        case .address, .network:
            found = spots.filter { target.contains($0.address) }
            if found.isEmpty, target.contains(Self.routerAddress) { throw UnreachableTarget(reason: Self.spared) }
        }
        guard !found.isEmpty else {
            let services = services.map(\.name).joined(separator: ", ")
            throw UnreachableTarget(
                reason: "\(target.placeText) is out of reach: the local lab is sealed, its replicas send packets to "
                    + "10.77.0.0/16 and to the names in it only (\(services), a replica, \(Self.clientHost))")
        }
        return found
    }

    private static let spared =
        "the router's own traffic is spared by the local lab's faults: its settings and health "
        + "checks go that way"
}

extension ExternalTarget {
    /// Without its port.
    fileprivate var placeText: String { ExternalTarget(place: place, port: nil).description }

    /// Whether it stands for that address; a name stands for none.
    func contains(_ address: String) -> Bool {
        let (own, bits): (String, Int)
        switch place {
        case .address(let address): (own, bits) = (address, 32)
        case .network(let address, let length): (own, bits) = (address, length)
        case .host: return false
        }
        let mask = bits == 0 ? 0 : UInt32.max << UInt32(32 - bits)
        return Self.number(own) & mask == Self.number(address) & mask
    }

    private static func number(_ address: String) -> UInt32 {
        address.split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) }
    }
}
