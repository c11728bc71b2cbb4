/// Which packets a network fault touches: those between sources and targets, in one direction or both.
public struct PacketPaths: Sendable, Equatable {
    /// Seen from the sources.
    public enum Direction: String, Sendable, Equatable, CaseIterable {
        /// Those that the sources send.
        case to
        /// Those that come back to them.
        case from
        case both
    }

    let sources: PacketEnd
    let ends: [PacketEnd]?
    let direction: Direction

    /// - Parameters:
    ///   - sources: IPv4 addresses of the selected hosts; at least one.
    ///   - ends: the other ends, at least one; nil is anywhere.
    /// - Throws: ``InvalidFault`` for anything else.
    public init(sources: [String], ends: [PacketEnd]?, direction: Direction) throws {
        if let ends, ends.isEmpty { throw InvalidFault(detail: PacketEnd.isMissing) }
        self.sources = try PacketEnd(sources)
        self.ends = ends
        self.direction = direction
    }

    /// The same with other ends that are hosts.
    public init(sources: [String], targets: [String]?, direction: Direction) throws {
        try self.init(sources: sources, ends: targets.map { [try PacketEnd($0)] }, direction: direction)
    }

    /// One rule's match each. Nil at one end is any address.
    var paths: [PacketPath] {
        let others = ends.map { $0.map(Optional.some) } ?? [nil]
        let sent = others.map { PacketPath(senders: sources, receivers: $0) }
        let returned = others.map { PacketPath(senders: $0, receivers: sources) }
        return switch direction {
        case .to: sent
        case .from: returned
        case .both: sent + returned
        }
    }

    /// The same packets, the paths of each sender together: what a host sends is a queue of its own, as on its own
    /// network card. The path from anyone, if there is one, comes last.
    var pathsBySender: [[PacketPath]] {
        var lanes: [(sender: PacketEnd, paths: [PacketPath])] = []
        for path in paths {
            for sender in path.senders?.each ?? [] {
                let own = PacketPath(senders: sender, receivers: path.receivers)
                if let lane = lanes.firstIndex(where: { $0.sender == sender }) {
                    lanes[lane].paths = lanes[lane].paths.adding(own)
                } else {
                    lanes.append((sender, [own]))
                }
            }
        }
        return lanes.sorted { $0.sender < $1.sender }.map { $0.paths } + paths.filter { $0.senders == nil }.map { [$0] }
    }

    /// `10.77.1.1,10.77.1.2 <-> anywhere`.
    var text: String {
        let arrow =
            switch direction {
            case .to: "->"
            case .from: "<-"
            case .both: "<->"
            }
        return "\(sources.text) \(arrow) \(ends?.map(\.text).joined(separator: ",") ?? "anywhere")"
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
}

/// One rule's match: from any of these to any of those.
struct PacketPath: Sendable, Equatable {
    let senders: PacketEnd?
    let receivers: PacketEnd?

    /// `ip saddr { 10.77.1.1, 10.77.1.2 } ip daddr 10.77.2.1`, in nft's words.
    var text: String { conditions.map(\.text).joined(separator: " ") }

    /// The same, as `nft -j` tells it.
    var matches: [NftExpression] { conditions.map(\.match) }

    private var conditions: [PacketCondition] {
        (senders?.conditions(as: .sender) ?? []) + (receivers?.conditions(as: .receiver) ?? [])
    }
}

extension [PacketPath] {
    /// With another path of the same sender, in one rule with a path to more of the same kind of end.
    fileprivate func adding(_ path: PacketPath) -> [PacketPath] {
        var all = self
        if contains(where: { $0.receivers == nil }) { return all }
        guard let receivers = path.receivers else { return [path] }
        for (index, other) in enumerated() {
            guard let joined = other.receivers?.joined(with: receivers) else { continue }
            all[index] = PacketPath(senders: other.senders, receivers: joined)
            return all
        }
        return all + [path]
    }
}
