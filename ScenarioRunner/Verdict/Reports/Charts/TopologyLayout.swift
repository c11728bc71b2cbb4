/// Where the services of a run stand in its drawing: callers left, callees right.
///
/// ```
///             .-> inventory-service
///   client -> payment-service
///             '-> notification-service
/// ```
struct TopologyLayout: Sendable, Equatable {
    struct Box: Sendable, Equatable {
        let name: String
        /// Empty for `client`.
        let replicas: [String]
        let x: Double
        let y: Double
        let height: Double
    }

    struct Point: Sendable, Equatable {
        let x: Double
        let y: Double
    }

    static let client = "client"
    static let boxWidth = 168.0
    static let columnGap = 118.0
    static let rowGap = 26.0
    static let replicaHeight = 28.0
    static let headHeight = 34.0
    static let margin = 10.0

    let boxes: [Box]
    let width: Double
    let height: Double

    init(_ topology: RunTopology) {
        var members = topology.services.map { (name: $0.name, replicas: $0.replicas) }
        let ends = Set(topology.paths.flatMap { [$0.from, $0.to] } + topology.broken.map(\.from))
        if ends.contains(Self.client) { members.insert((Self.client, []), at: 0) }
        let columns = Self.columns(members.map(\.name), topology.paths)
        let count = (columns.values.max() ?? 0) + 1
        let rows = (0..<count).map { column in members.filter { columns[$0.name] == column } }
        func height(_ replicas: [String]) -> Double {
            Self.headHeight + Double(max(replicas.count, 1)) * Self.replicaHeight + 8
        }
        let heights = rows.map { row in
            row.reduce(0) { $0 + height($1.replicas) } + Self.rowGap * Double(max(row.count - 1, 0))
        }
        let tallest = heights.max() ?? 0
        boxes = rows.enumerated().flatMap { column, row in
            var y = Self.margin + (tallest - heights[column]) / 2
            return row.map { member in
                defer { y += height(member.replicas) + Self.rowGap }
                return Box(
                    name: member.name, replicas: member.replicas,
                    x: Self.margin + Double(column) * (Self.boxWidth + Self.columnGap), y: y,
                    height: height(member.replicas))
            }
        }
        width = Double(count) * Self.boxWidth + Double(count - 1) * Self.columnGap + 2 * Self.margin
        self.height = tallest + 2 * Self.margin
    }

    /// One column right of the rightmost caller. Circles end after as many rounds as there are services.
    private static func columns(_ names: [String], _ paths: [RunTopology.Path]) -> [String: Int] {
        var columns = Dictionary(names.map { ($0, 0) }) { first, _ in first }
        for _ in names {
            for path in paths {
                guard let from = columns[path.from], let to = columns[path.to], path.from != path.to else { continue }
                columns[path.to] = min(max(to, from + 1), names.count - 1)
            }
        }
        return columns
    }

    func box(_ name: String) -> Box? { boxes.first { $0.name == name } }

    /// The box that is, or holds, the host.
    func box(holding host: String) -> Box? { boxes.first { $0.name == host || $0.replicas.contains(host) } }

    /// The middle of a replica's line in its box; of a box without replicas, its middle.
    func row(of host: String) -> Double? {
        guard let box = box(holding: host) else { return nil }
        guard let index = box.replicas.firstIndex(of: host) else { return box.y + box.height / 2 }
        return box.y + Self.headHeight + (Double(index) + 0.5) * Self.replicaHeight
    }

    /// Where a line from one host to another leaves and arrives; nil when one of them is not in the drawing, or both
    /// are in one box.
    func ends(from: String, to: String) -> (start: Point, end: Point)? {
        guard let left = box(holding: from), let right = box(holding: to), left.name != right.name,
            let startY = row(of: from), let endY = row(of: to)
        else { return nil }
        let isForwards = left.x <= right.x
        return (
            Point(x: isForwards ? left.x + Self.boxWidth : left.x, y: startY),
            Point(x: isForwards ? right.x : right.x + Self.boxWidth, y: endY)
        )
    }
}
