/// One end of the paths of a network fault: some addresses, and perhaps one TCP port of theirs.
///
/// The packets to a host are known by its address. Virtual addresses are translated before the hooks where faults are
/// put, so the packets to one are known by what the kernel's connection tracking remembers: where the connection's
/// first packet was sent.
public struct PacketEnd: Sendable, Hashable {
    static let isMissing = "a network fault needs an address at each end"

    /// IPv4, sorted, at least one.
    let addresses: [String]
    /// Whether they are the services' virtual addresses, which no host has.
    let isVirtual: Bool
    let port: Int?

    /// - Parameters:
    ///   - addresses: IPv4; at least one.
    ///   - isVirtual: whether they are virtual addresses, such as those of the services.
    ///   - port: 1 to 65535; nil is all of them, and other protocols than TCP.
    /// - Throws: ``InvalidFault`` for anything else.
    public init(_ addresses: [String], isVirtual: Bool = false, port: Int? = nil) throws {
        guard !addresses.isEmpty else { throw InvalidFault(detail: Self.isMissing) }
        for address in addresses where !Self.isIPv4(address) {
            throw InvalidFault(detail: "'\(address)' is not an IPv4 address")
        }
        if let port, !(1...65_535).contains(port) { throw InvalidFault(detail: "\(port) is not a port") }
        self.init(sorted: Set(addresses).sorted(), isVirtual: isVirtual, port: port)
    }

    private init(sorted addresses: [String], isVirtual: Bool, port: Int?) {
        self.addresses = addresses
        self.isVirtual = isVirtual
        self.port = port
    }

    /// One end for each address.
    var each: [PacketEnd] { addresses.map { PacketEnd(sorted: [$0], isVirtual: isVirtual, port: port) } }

    /// Both in one; nil where one rule cannot tell both.
    func joined(with other: PacketEnd) -> PacketEnd? {
        guard isVirtual == other.isVirtual, port == other.port else { return nil }
        return PacketEnd(
            sorted: Set(addresses + other.addresses).sorted(), isVirtual: isVirtual, port: port)
    }

    /// `10.77.1.1,10.77.1.2`, `10.77.100.3:5004`.
    var text: String { addresses.map { address in port.map { "\(address):\($0)" } ?? address }.joined(separator: ",") }

    /// Four numbers up to 255: what may be written into a rule without quoting.
    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.allSatisfy(\.isASCII) && $0.allSatisfy(\.isNumber) && UInt8($0) != nil }
    }
}

extension PacketEnd: Comparable {
    public static func < (one: PacketEnd, other: PacketEnd) -> Bool {
        (one.addresses.first ?? "", one.isVirtual ? 1 : 0, one.port ?? 0)
            < (other.addresses.first ?? "", other.isVirtual ? 1 : 0, other.port ?? 0)
    }
}

extension [PacketEnd] {
    /// Adds another, as part of one that is like it where there is one.
    mutating func join(_ end: PacketEnd) {
        for index in indices {
            guard let both = self[index].joined(with: end) else { continue }
            self[index] = both
            return
        }
        append(end)
    }
}

extension PacketEnd {
    enum Role {
        case sender, receiver
    }

    /// What a rule looks at to find the packets that come from here, or go here.
    func conditions(as role: Role) -> [PacketCondition] {
        let ports = port.map { [PacketCondition.tcp(role == .sender ? "sport" : "dport", $0)] } ?? []
        guard isVirtual else { return [.ip(role == .sender ? "saddr" : "daddr", addresses)] + ports }
        // Who asked a virtual address sends in the original direction, whoever answers in the other one.
        return [.direction(role == .sender ? "reply" : "original"), .originalDestination(addresses)] + ports
    }
}

/// One condition of a rule, in both languages of nft: the one that is written and the one that is read back.
enum PacketCondition: Sendable, Equatable {
    /// `saddr` or `daddr`.
    case ip(String, [String])
    /// `sport` or `dport`.
    case tcp(String, Int)
    /// Of the connection: `original` or `reply`.
    case direction(String)
    /// Where the first packet of the connection was sent, before it was translated.
    case originalDestination([String])

    var text: String {
        switch self {
        case .ip(let field, let addresses): "ip \(field) \(Self.set(addresses))"
        case .tcp(let field, let port): "tcp \(field) \(port)"
        case .direction(let direction): "ct direction \(direction)"
        case .originalDestination(let addresses): "ct original ip daddr \(Self.set(addresses))"
        }
    }

    var match: NftExpression { ["match": ["op": "==", "left": left, "right": right]] }

    private var left: NftExpression {
        switch self {
        case .ip(let field, _): ["payload": ["protocol": "ip", "field": .text(field)]]
        case .tcp(let field, _): ["payload": ["protocol": "tcp", "field": .text(field)]]
        case .direction: ["ct": ["key": "direction"]]
        case .originalDestination: ["ct": ["key": "ip daddr", "dir": "original"]]
        }
    }

    private var right: NftExpression {
        switch self {
        case .ip(_, let addresses), .originalDestination(let addresses):
            addresses.count == 1 ? .text(addresses[0]) : .set(Set(addresses.map(NftExpression.text)))
        case .tcp(_, let port): .number(port)
        case .direction(let direction): .text(direction)
        }
    }

    private static func set(_ addresses: [String]) -> String {
        addresses.count == 1 ? addresses[0] : "{ \(addresses.joined(separator: ", ")) }"
    }
}
