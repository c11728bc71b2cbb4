/// Which packets a network fault touches: those between sources and targets, in one direction or both.
///
/// Addresses are the hosts' own: the virtual ones are translated before the hooks where faults are put.
public struct PacketPaths: Sendable, Equatable {
    /// Seen from the sources.
    public enum Direction: String, Sendable, Equatable, CaseIterable {
        /// Those that the sources send.
        case to
        /// Those that come back to them.
        case from
        case both
    }

    let sources: [String]
    let targets: [String]?
    let direction: Direction

    /// - Parameters:
    ///   - sources: IPv4 addresses of the selected hosts; at least one.
    ///   - targets: IPv4 addresses of the other ends, at least one; nil is anywhere.
    /// - Throws: ``InvalidFault`` for anything else.
    public init(sources: [String], targets: [String]?, direction: Direction) throws {
        for addresses in [sources] + (targets.map { [$0] } ?? []) {
            guard !addresses.isEmpty else { throw InvalidFault(detail: "a network fault needs an address at each end") }
            for address in addresses where !Self.isIPv4(address) {
                throw InvalidFault(detail: "'\(address)' is not an IPv4 address")
            }
        }
        self.sources = Set(sources).sorted()
        self.targets = targets.map { Set($0).sorted() }
        self.direction = direction
    }

    /// One rule's match each. Nil at one end is any address.
    var paths: [PacketPath] {
        let sent = PacketPath(senders: sources, receivers: targets)
        let returned = PacketPath(senders: targets, receivers: sources)
        return switch direction {
        case .to: [sent]
        case .from: [returned]
        case .both: [sent, returned]
        }
    }

    /// The same packets, one path a sender: what each host sends is a queue of its own, as on its own network card.
    /// The path from anyone, if there is one, comes last.
    var pathsBySender: [PacketPath] {
        var receivers: [String: Set<String>?] = [:]
        for path in paths {
            for sender in path.senders ?? [] {
                let known = receivers[sender] ?? Set()
                receivers[sender] = .some(known.flatMap { known in path.receivers.map { known.union($0) } })
            }
        }
        return receivers.sorted { $0.key < $1.key }.map {
            PacketPath(senders: [$0.key], receivers: $0.value.map { $0.sorted() })
        } + paths.filter { $0.senders == nil }
    }

    /// `10.77.1.1,10.77.1.2 <-> anywhere`.
    var text: String {
        let arrow =
            switch direction {
            case .to: "->"
            case .from: "<-"
            case .both: "<->"
            }
        return "\(sources.joined(separator: ",")) \(arrow) \(targets?.joined(separator: ",") ?? "anywhere")"
    }

    /// The name of a fault's nft table: `prefix` and the id in the letters that nft takes in a name, cut to 64.
    static func tableName(_ prefix: String, id: String) -> String {
        let letters = id.lowercased().unicodeScalars.prefix(64).map { scalar -> Character in
            switch scalar {
            case "a"..."z", "0"..."9": Character(scalar)
            default: "_"
            }
        }
        return prefix + String(letters)
    }

    /// Four numbers up to 255: what may be written into a rule without quoting.
    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.allSatisfy(\.isASCII) && $0.allSatisfy(\.isNumber) && UInt8($0) != nil }
    }
}

/// One rule's match: from any of these to any of those.
struct PacketPath: Sendable, Equatable {
    let senders: [String]?
    let receivers: [String]?

    /// `ip saddr { 10.77.1.1, 10.77.1.2 } ip daddr 10.77.2.1`, in nft's words.
    var text: String {
        [("saddr", senders), ("daddr", receivers)].compactMap { field, addresses in
            addresses.map { "ip \(field) \($0.count == 1 ? $0[0] : "{ \($0.joined(separator: ", ")) }")" }
        }.joined(separator: " ")
    }

    /// The same, as `nft -j` tells it.
    var matches: [NftExpression] {
        [("saddr", senders), ("daddr", receivers)].compactMap { field, addresses in
            addresses.map { Self.match(field: field, addresses: $0) }
        }
    }

    private static func match(field: String, addresses: [String]) -> NftExpression {
        let values = addresses.map { NftExpression.text($0) }
        return [
            "match": [
                "op": "==",
                "left": ["payload": ["protocol": "ip", "field": .text(field)]],
                "right": values.count == 1 ? values[0] : .set(Set(values)),
            ]
        ]
    }
}
