/// Who calls whom, with the broken path drawn broken.
struct TopologyDrawing: Sendable {
    let topology: RunTopology
    private let layout: TopologyLayout

    init(_ topology: RunTopology) {
        self.topology = topology
        layout = TopologyLayout(topology)
    }

    /// Nothing where nothing is known of the services.
    var markup: Markup {
        guard !topology.services.isEmpty else { return .none }
        return """
            <div class="wide" tabindex="0" role="region" aria-label="Drawing of the services">
            <svg class="topology" viewBox="0 0 \(layout.width) \(layout.height)" width="\(layout.width)" \
            height="\(layout.height)" role="img" aria-labelledby="topology-title topology-desc">
            <title id="topology-title">Who calls whom, and where the fault was</title>
            <desc id="topology-desc">\(inWords)</desc>
            \(wires)\(boxes)\(breaks)
            </svg>
            </div>
            \(legend)

            """
    }

    private var inWords: String {
        let calls = topology.paths.map { "\($0.from) calls \($0.to)" }
        return (calls + brokenInWords).joined(separator: "; ") + "."
    }

    /// One line for each thing that the fault does: `payment-0, payment-1 -> inventory-0: drops 80 % of packets`.
    private var brokenInWords: [String] {
        var labels: [String] = []
        for broken in topology.broken where !labels.contains(broken.label) { labels.append(broken.label) }
        return labels.map { label in
            let places = topology.broken.filter { $0.label == label }
            let from = Self.distinct(places.map(\.from)).joined(separator: ", ")
            let to = Self.distinct(places.compactMap(\.to)).joined(separator: ", ")
            return to.isEmpty ? "\(from): \(label)" : "\(from) \u{2192} \(to): \(label)"
        }
    }

    private var legend: Markup {
        let lines: [Markup] = brokenInWords.map { "<li class=\"key\" data-key=\"broken\">\($0)</li>" }
        return lines.isEmpty ? .none : "<ul class=\"keys\">\(lines)</ul>"
    }

    private static func distinct(_ names: [String]) -> [String] {
        names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    // MARK: Boxes

    private var boxes: Markup {
        let boxes: [Markup] = layout.boxes.map { box in
            let rows: [Markup] = box.replicas.compactMap { replica in
                layout.row(of: replica).map { row(replica, in: box, at: $0) }
            }
            let title = box.replicas.isEmpty ? "" : box.name
            let users: Markup =
                box.replicas.isEmpty
                ? """
                <text class="service" x="\(box.x + TopologyLayout.boxWidth / 2)" y="\(box.y + box.height / 2 + 5)" \
                text-anchor="middle">\(box.name)</text>
                """
                : .none
            return """
                <g><rect class="box" x="\(box.x)" y="\(box.y)" width="\(TopologyLayout.boxWidth)" \
                height="\(box.height)" rx="9"/><text class="service" x="\(box.x + 12)" y="\(box.y + 23)">\(title)</text>\
                \(users)\(rows)</g>
                """
        }
        return "\(boxes)"
    }

    private func row(_ replica: String, in box: TopologyLayout.Box, at y: Double) -> Markup {
        let broken = topology.broken.first { $0.kind == .replica && $0.from == replica }
        let cross: Markup =
            broken == nil ? .none : Self.cross(x: box.x + TopologyLayout.boxWidth - 20, y: y)
        return """
            <g class="replica"\(broken == nil ? "" as Markup : " data-broken=\"\"")>\
            <rect x="\(box.x + 8)" y="\(y - 12)" width="\(TopologyLayout.boxWidth - 16)" height="24" rx="5"/>\
            <text x="\(box.x + 18)" y="\(y + 4.5)">\(replica)</text>\(cross)</g>
            """
    }

    // MARK: Lines

    /// Whole paths between services; a path on which the fault acts is drawn host by host instead.
    private var wires: Markup {
        let wires: [Markup] = topology.paths.compactMap { path in
            guard !brokenPaths.contains(where: { joins($0, path) }),
                let (start, end) = layout.ends(from: path.from, to: path.to)
            else { return nil }
            return "<path class=\"wire\" d=\"\(Self.curve(start, end))\"/>\(Self.head(at: end, from: start))"
        }
        return "\(wires)"
    }

    private var brokenPaths: [RunTopology.Broken] { topology.broken.filter { $0.kind == .path } }

    private func joins(_ broken: RunTopology.Broken, _ path: RunTopology.Path) -> Bool {
        let ends = Set([layout.box(holding: broken.from)?.name, broken.to.flatMap { layout.box(holding: $0)?.name }])
        return ends == Set([path.from, path.to])
    }

    private var breaks: Markup {
        var lines: [Markup] = []
        var crosses: [Markup] = []
        var crossed: Set<String> = []
        for broken in brokenPaths {
            guard let to = broken.to, let (start, end) = layout.ends(from: broken.from, to: to) else { continue }
            lines.append("<path class=\"break\" d=\"\(Self.curve(start, end))\"/>")
            // Lines from one place run together there: one cross is enough for all of them.
            if crossed.insert(broken.from).inserted { crosses.append(Self.cross(near: start, towards: end)) }
        }
        return "\(lines)\(crosses)"
    }

    /// At the parameter 1/4 of the curve, which is 0.30 of its width and 0.16 of its height.
    private static func cross(near start: TopologyLayout.Point, towards end: TopologyLayout.Point) -> Markup {
        func part(_ share: Double, _ from: Double, _ to: Double) -> Double { from + share * (to - from) }
        return cross(x: part(0.3, start.x, end.x), y: part(0.16, start.y, end.y))
    }

    private static func curve(_ start: TopologyLayout.Point, _ end: TopologyLayout.Point) -> String {
        let middle = Markup.coordinate((start.x + end.x) / 2)
        func place(_ point: TopologyLayout.Point) -> String {
            "\(Markup.coordinate(point.x)) \(Markup.coordinate(point.y))"
        }
        return
            "M\(place(start))C\(middle) \(Markup.coordinate(start.y)) \(middle) \(Markup.coordinate(end.y)) \(place(end))"
    }

    private static func head(at end: TopologyLayout.Point, from start: TopologyLayout.Point) -> Markup {
        let back = end.x >= start.x ? -8.0 : 8.0
        return "<path class=\"head\" d=\"M\(end.x) \(end.y)l\(back) -4.5v9Z\"/>"
    }

    private static func cross(x: Double, y: Double) -> Markup {
        """
        <g class="cross"><circle cx="\(x)" cy="\(y)" r="8"/>\
        <path d="M\(x - 3.5) \(y - 3.5)l7 7m0 -7l-7 7"/></g>
        """
    }
}
