/// Two runs as one offline HTML file: what differs first, then both on the same charts.
public struct ComparisonPage: Sendable {
    private let a: Journal
    private let b: Journal
    private let comparison: RunComparison
    private let gates: [RegressionGate.Finding]

    public init(_ a: Journal, _ b: Journal, _ comparison: RunComparison, gates: [RegressionGate.Finding] = []) {
        self.a = a
        self.b = b
        self.comparison = comparison
        self.gates = gates
    }

    public var html: String {
        OfflinePage(title: "\(a.runID) and \(b.runID)", body: body).html
    }

    private var isBad: Bool { gates.contains(where: \.isTripped) }

    private var body: Markup {
        let notes: [Markup] = comparison.notes.map { "<li>\($0)</li>" }
        return """
            <main>
            <header class="panel hero" data-verdict="\(isBad ? "deviated" : comparison.differs ? "aborted" : "held")">
            <p class="badge">\(isBad ? "regression" : comparison.differs ? "different" : "no difference")</p>
            <h1>\(title)</h1>
            <p class="lead">\(comparison.sentence).</p>
            <ul class="reasons">\(notes)</ul>
            <p class="meta"><span class="key" data-key="a">A: \(run(a))</span>\
            <span class="key" data-key="b">B: \(run(b))</span></p>
            </header>
            \(gateSection)
            <section class="panel" aria-labelledby="time-head"><h2 id="time-head">Both runs</h2>
            <div class="charts">\(OverlayCharts(a, b).markup)</div></section>
            \(table)
            </main>
            """
    }

    private var title: String {
        a.experiment == b.experiment ? a.experiment : "\(a.experiment) and \(b.experiment)"
    }

    private func run(_ journal: Journal) -> String {
        "\(journal.runID), \(NumberText.time(journal.startedAt)), \(journal.verdict.rawValue)"
    }

    private var gateSection: Markup? {
        guard !gates.isEmpty else { return nil }
        let rows: [Markup] = gates.map { gate in
            """
            <tr><td><code>\(gate.gate)</code></td><td>\(gate.text)</td>\
            <td class="outcome" data-outcome="\(gate.isTripped ? "failed" : "held")">\
            \(gate.isTripped ? "\u{2715} tripped" : "\u{2713} passed")</td></tr>
            """
        }
        return Parts.panel(
            "gates", "Gates",
            """
            <table class="text"><thead><tr><th scope="col">gate</th><th scope="col">found</th>\
            <th scope="col">outcome</th></tr></thead><tbody>\(rows)</tbody></table>
            """)
    }

    private var table: Markup {
        let rows: [Markup] = comparison.lines.map { line in
            let metric = line.metric
            let interval = "\(metric.differenceText(line.low)) to \(metric.differenceText(line.high))"
            let outcome: Markup =
                line.differs
                ? "<td class=\"effect\">\(metric.differenceText(line.difference))</td>"
                : "<td class=\"none\">\(metric.differenceText(line.difference))</td>"
            return """
                <tr><th scope="row">\(RunTimeline.name(line.phase)) \(metric.rawValue)</th><td>\(metric.text(line.a))</td>\
                <td>\(metric.text(line.b))</td>\(outcome)<td class="soft">\(interval)</td>\
                <td>\(line.differs ? "differs" : "")</td></tr>
                """
        }
        return Parts.panel(
            "numbers", "Number by number",
            """
            <div class="wide" tabindex="0" role="region" aria-label="Number by number"><table><thead><tr><td></td>\
            <th scope="col">A</th><th scope="col">B</th><th scope="col">B less A</th><th scope="col">95 % interval</th>\
            <th scope="col"></th></tr></thead><tbody>\(rows)</tbody></table></div>
            <p class="note">Intervals come from drawing the seconds of each part again, in blocks. Of comparisons of two \
            runs of one system about 5 % say that anything differs, and more when phases last only a few seconds; a \
            difference must also be worth a word: 1 point \
            of success, 5 % of throughput, 20 to 30 % and 3 to 20 ms of latency.</p>
            """)
    }
}

/// Success, throughput and latency of two runs on the same charts, each run from its own start.
struct OverlayCharts: Sendable {
    private let runs: [(key: String, journal: Journal)]
    private let timeline: RunTimeline
    private let time: TimeAxis

    init(_ a: Journal, _ b: Journal) {
        runs = [("a", a), ("b", b)]
        let timelines = [RunTimeline(a), RunTimeline(b)]
        // The parts behind the charts are those of A; both runs were asked for the same ones if they are to be compared.
        timeline = RunTimeline(parts: timelines[0].parts, marks: [], end: timelines.map(\.end).max() ?? 1)
        time = TimeAxis(end: timeline.end)
    }

    var markup: Markup {
        let latencies = ["p50", "p95", "p99"].map { name in
            chart(name, title: name, subtitle: "from the moment a request was due", values: nil) { point in
                guard point.requests > 0 else { return nil }
                return name == "p50" ? point.p50Ms : name == "p95" ? point.p95Ms : point.p99Ms
            }
        }
        let most = runs.flatMap { $0.journal.series }.map { Double($0.counts.successes) }.max() ?? 0
        let success = chart("success", title: "Success", subtitle: "share of the users", values: .percent) { point in
            point.requests > 0 ? point.counts.successRate * 100 : nil
        }
        let throughput = chart(
            "throughput", title: "Throughput", subtitle: "successful answers a second",
            values: .counting(to: most)
        ) { Double($0.counts.successes) }
        return "\(success)\(throughput)\(latencies)"
    }

    private func chart(
        _ id: String, title: String, subtitle: String, values: ValueAxis?, _ value: (SeriesPoint) -> Double?
    ) -> Markup {
        let all = runs.map { run in
            (run.key, run.journal.series.map { (seconds: Double($0.t) + 0.5, value: value($0)) })
        }
        let values = values ?? .latency(all.flatMap { $0.1.compactMap(\.value) })
        let lines: [Markup] = all.map { key, points in
            "<path class=\"line\" data-key=\"\(key)\" d=\"\(Strokes.line(points, time, values))\"/>"
        }
        return ChartFrame(
            id: id, title: title, subtitle: subtitle,
            description: "\(title) of A, run \(runs[0].journal.runID), and of B, run \(runs[1].journal.runID).",
            time: time, values: values, timeline: timeline,
            keys: [.init(name: "a", label: "A"), .init(name: "b", label: "B")]
        ).figure("\(lines)")
    }
}
