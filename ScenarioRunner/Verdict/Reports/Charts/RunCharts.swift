/// The charts of a run: what became of the requests, the share that succeeded, how long users waited, and what the
/// system still owed.
struct RunCharts: Sendable {
    let journal: Journal
    let timeline: RunTimeline
    private let time: TimeAxis

    init(_ journal: Journal) {
        self.journal = journal
        timeline = RunTimeline(journal)
        time = TimeAxis(end: timeline.end)
    }

    /// Nothing where nothing was measured.
    var markup: Markup {
        journal.series.isEmpty ? .none : "\(requests)\(success)\(latency)\(backlog)"
    }

    // MARK: Requests

    private var requests: Markup {
        let most = journal.series.map { Double($0.requests) }.max() ?? 0
        let values = ValueAxis.counting(to: most)
        let causes = RequestCause.allCases.filter { cause in journal.series.contains { cause.count($0.counts) > 0 } }
        var floors = journal.series.map { _ in 0.0 }
        var paths: [Markup] = []
        for cause in causes {
            let tops = zip(floors, journal.series).map { $0 + Double(cause.count($1.counts)) }
            let steps = zip(journal.series, zip(floors, tops)).map { point, levels in
                (start: Double(point.t), floor: levels.0, top: levels.1)
            }
            paths.append(
                "<path class=\"stack\" data-key=\"\(cause.rawValue)\" d=\"\(Strokes.steps(steps, time, values))\"/>")
            floors = tops
        }
        let offered = journal.series.map { (start: Double($0.t), value: Double($0.requests)) }
        paths.append("<path class=\"offered\" d=\"\(Strokes.edge(offered, time, values))\"/>")
        return ChartFrame(
            id: "requests", title: "Requests", subtitle: "a second, by what became of them",
            description: requestsInWords(causes), time: time, values: values, timeline: timeline,
            keys: causes.map { .init(name: $0.rawValue, label: $0.label) } + [.init(name: "offered", label: "offered")]
        ).figure("\(paths)")
    }

    private func requestsInWords(_ causes: [RequestCause]) -> String {
        var total = RequestCounts()
        for point in journal.series { total.add(point.counts) }
        let parts = causes.map { "\(NumberText.count($0.count(total))) \($0.label)" }
        return "\(NumberText.count(total.requests)) requests in \(NumberText.span(timeline.end)): "
            + parts.joined(separator: ", ") + "."
    }

    // MARK: Success

    private var success: Markup {
        let values = ValueAxis.percent
        let points = journal.series.map { point in
            (seconds: Double(point.t) + 0.5, value: point.requests > 0 ? point.counts.successRate * 100 : nil)
        }
        let missing = journal.series.map { point in
            (start: Double(point.t), floor: point.requests > 0 ? point.counts.successRate * 100 : 100, top: 100.0)
        }
        return ChartFrame(
            id: "success", title: "Success", subtitle: "share of the users who got an answer; a declined card is one",
            description: phasesInWords { "\(NumberText.percent($0.successRate))" }, time: time, values: values,
            timeline: timeline, keys: []
        ).figure(
            """
            <path class="lack" d="\(Strokes.steps(missing, time, values))"/>\
            <path class="line" data-key="success" d="\(Strokes.line(points, time, values))"/>
            """)
    }

    // MARK: Latency

    private static let percentiles: [(name: String, value: @Sendable (SeriesPoint) -> Double)] = [
        ("p99", { $0.p99Ms }), ("p95", { $0.p95Ms }), ("p50", { $0.p50Ms }),
    ]

    private var latency: Markup {
        let measured = journal.series.filter { $0.requests > 0 }
        let values = ValueAxis.latency(measured.flatMap { point in Self.percentiles.map { $0.value(point) } })
        let lines: [Markup] = Self.percentiles.map { percentile in
            let points = journal.series.map { point -> (seconds: Double, value: Double?) in
                let value = percentile.value(point)
                return (Double(point.t) + 0.5, point.requests > 0 && value > 0 ? value : nil)
            }
            return "<path class=\"line\" data-key=\"\(percentile.name)\" d=\"\(Strokes.line(points, time, values))\"/>"
        }
        let scale = values.isLogarithmic ? ", each line of the grid ten times the one below" : ""
        return ChartFrame(
            id: "latency", title: "Latency", subtitle: "from the moment a request was due\(scale)",
            description: phasesInWords { phase in
                "p50 \(NumberText.latency(phase.p50Ms)), p95 \(NumberText.latency(phase.p95Ms)), "
                    + "p99 \(NumberText.latency(phase.p99Ms))"
            }, time: time, values: values, timeline: timeline,
            keys: Self.percentiles.reversed().map { .init(name: $0.name, label: $0.name) }
        ).figure("\(lines)")
    }

    // MARK: Backlog

    private var backlog: Markup? {
        let samples = journal.recovery.backlog
        guard let last = samples.last, let most = samples.map(\.total).max() else { return nil }
        let values = ValueAxis.counting(to: Double(most))
        func line(_ key: String, _ value: (BacklogSample) -> Int) -> Markup {
            let points = samples.map { (seconds: $0.t, value: Optional(Double(value($0)))) }
            return "<path class=\"line\" data-key=\"\(key)\" d=\"\(Strokes.line(points, time, values))\"/>"
        }
        return ChartFrame(
            id: "backlog", title: "Backlog", subtitle: "payments without an end, and messages that are still owed",
            description:
                "At most \(NumberText.count(most)) things waited; at the end \(NumberText.count(last.total)) did.",
            time: time, values: values, timeline: timeline,
            keys: [.init(name: "pending", label: "payments"), .init(name: "outbox", label: "messages")]
        ).figure("\(line("outbox") { $0.outbox })\(line("pending") { $0.pendingPayments })")
    }

    private func phasesInWords(_ text: (PhaseSummary) -> String) -> String {
        let parts = journal.phases.filter { $0.requests > 0 }.map { "\(RunTimeline.name($0.name)): \(text($0))" }
        return parts.isEmpty ? "No part of the run was measured." : parts.joined(separator: "; ") + "."
    }
}

/// What became of a request, in the order in which the chart stacks them.
enum RequestCause: String, CaseIterable, Sendable {
    case ok, declined
    case clientErrors = "client_errors"
    case serverErrors = "server_errors"
    case timedOut = "timed_out"
    case connectionFailed = "connection_failed"
    case dropped

    func count(_ counts: RequestCounts) -> Int {
        switch self {
        case .ok: counts.ok
        case .declined: counts.declined
        case .clientErrors: counts.clientErrors
        case .serverErrors: counts.serverErrors
        case .timedOut: counts.timedOut
        case .connectionFailed: counts.connectionFailed
        case .dropped: counts.dropped
        }
    }

    /// For people.
    var label: String {
        switch self {
        case .ok: "answered"
        case .declined: "declined"
        case .clientErrors: "refused (4xx)"
        case .serverErrors: "failed (5xx)"
        case .timedOut: "timed out"
        case .connectionFailed: "connection failed"
        case .dropped: "never sent"
        }
    }
}
