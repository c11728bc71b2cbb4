/// The other end of a network fault outside the cluster: `10.0.0.1`, `10.0.0.0/8`, `example.com`, each with an optional
/// port (`example.com:443`).
///
/// Chaos Mesh resolves names when the fault starts and knows IPv4 only
/// (`controllers/podnetworkchaos/netutils/cidr.go`).
public struct ExternalTarget: Sendable, Equatable, CustomStringConvertible {
    public enum Place: Sendable, Equatable {
        /// An IPv4 address.
        case address(String)
        /// An IPv4 network; 0 to 32 leading bits of `address` count.
        case network(address: String, bits: Int)
        /// To be resolved.
        case host(String)
    }

    public let place: Place
    /// 1 to 65535; nil for all of them.
    public let port: Int?

    public init(place: Place, port: Int?) {
        self.place = place
        self.port = port
    }

    /// - Throws: ``QuantityError`` for anything else, IPv6 included.
    public static func parse(_ text: String) throws(QuantityError) -> ExternalTarget {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw QuantityError("is not an IPv4 address, network or host name") }
        var port: Int?
        if parts.count == 2 {
            guard let number = Int(parts[1]), (1...65_535).contains(number), parts[1].first != "+" else {
                throw QuantityError("has a port that is not from 1 to 65535")
            }
            port = number
        }
        return ExternalTarget(place: try place(parts.first ?? ""), port: port)
    }

    private static func place(_ text: Substring) throws(QuantityError) -> Place {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard isIPv4(parts[0]), let bits = Int(parts[1]), (0...32).contains(bits), parts[1].first != "+" else {
                throw QuantityError("is not an IPv4 network: write an address and 0 to 32 bits, such as 10.0.0.0/8")
            }
            return .network(address: String(parts[0]), bits: bits)
        }
        if isIPv4(text) { return .address(String(text)) }
        guard isHostName(text) else { throw QuantityError("is not an IPv4 address, network or host name") }
        return .host(String(text))
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy { $0.isASCII && $0.isNumber }
                    && (Int(part) ?? 256) <= 255 && (part.count == 1 || part.first != "0")
            }
    }

    /// RFC 1123; one that ends in a number is a mistyped address.
    private static func isHostName(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isNumber) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
    }

    /// Whether it is that Service of one of the namespaces, by any of its names in a cluster:
    /// `inventory-service.payment-chaos.svc:5003`.
    func isService(_ name: String, of namespaces: [String]) -> Bool {
        guard case .host(let host) = place else { return false }
        let parts = host.lowercased().split(separator: ".", maxSplits: 3).map(String.init)
        return parts[0] == name && (parts.count == 1 || namespaces.contains(parts[1]))
            && (parts.count < 3 || parts[2] == "svc")
    }

    public var description: String {
        let text =
            switch place {
            case .address(let address): address
            case .network(let address, let bits): "\(address)/\(bits)"
            case .host(let name): name
            }
        return port.map { "\(text):\($0)" } ?? text
    }
}
