/// Before, during and after the fault side by side, with what each differs from before.
struct ImpactSection: Sendable {
    private static let phases: [PhaseName] = [.baseline, .fault, .recovery]

    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup? {
        guard Self.phases.contains(where: { journal.phase($0) != nil }) else { return nil }
        let hasEffects = !journal.effects.isEmpty
        let effectHeads: Markup =
            hasEffects
            ? "<th scope=\"col\">during less before</th><th scope=\"col\">after less before</th>" : .none
        return Parts.panel(
            "impact", "Before, during, after",
            """
            <div class="wide" tabindex="0" role="region" aria-label="Before, during, after">
            <table><thead><tr><td></td>\(heads)\(effectHeads)</tr></thead>
            <tbody>\(measurements(hasEffects))\(causes(hasEffects))</tbody></table></div>
            \(note(hasEffects))
            """)
    }

    private var heads: Markup {
        let names: [PhaseName: String] = [.baseline: "before", .fault: "during", .recovery: "after"]
        let heads: [Markup] = Self.phases.map { name in
            "<th scope=\"col\" data-phase=\"\(name.rawValue)\">\(names[name] ?? name.rawValue)</th>"
        }
        return "\(heads)"
    }

    private func measurements(_ hasEffects: Bool) -> Markup {
        func row(_ name: String, _ metric: Effect.Metric? = nil, _ cell: (PhaseSummary) -> String) -> Markup {
            self.row(name, metric, hasEffects, cell)
        }
        let rows: [Markup] = [
            row("time") { NumberText.span(($0.durationS * 10).rounded() / 10) },
            row("requests") { NumberText.count($0.requests) },
            row("success", .successRate) { NumberText.percent($0.successRate) },
            row("throughput", .throughputRps) { "\(NumberText.short(($0.throughputRps * 10).rounded() / 10))/s" },
            row("p50", .p50Ms) { NumberText.latency($0.p50Ms) },
            row("p90") { NumberText.latency($0.p90Ms) },
            row("p95", .p95Ms) { NumberText.latency($0.p95Ms) },
            row("p99", .p99Ms) { NumberText.latency($0.p99Ms) },
            row("p99.9") { NumberText.latency($0.p999Ms) },
            row("slowest") { NumberText.latency($0.maxMs) },
        ]
        return "\(rows)"
    }

    /// Only what happened at all.
    private func causes(_ hasEffects: Bool) -> Markup {
        let rows: [Markup] = RequestCause.allCases.compactMap { cause in
            guard journal.phases.contains(where: { cause.count($0.byCause) > 0 }) else { return nil }
            return row(cause.label, nil, hasEffects) { NumberText.count(cause.count($0.byCause)) }
        }
        let late: Markup? =
            journal.phases.contains { $0.lateSends > 0 }
            ? row("sent late", nil, hasEffects) { NumberText.count($0.lateSends) } : nil
        return "\(rows)\(late)"
    }

    private func row(
        _ name: String, _ metric: Effect.Metric?, _ hasEffects: Bool, _ cell: (PhaseSummary) -> String
    ) -> Markup {
        let cells: [Markup] = Self.phases.map { phase in
            guard let summary = journal.phase(phase) else { return "<td class=\"none\">\u{2013}</td>" }
            return "<td>\(cell(summary))</td>"
        }
        let effects: Markup =
            hasEffects ? "\(effect(metric, .fault))\(effect(metric, .recovery))" : .none
        return "<tr><th scope=\"row\">\(name)</th>\(cells)\(effects)</tr>"
    }

    private func effect(_ metric: Effect.Metric?, _ phase: PhaseName) -> Markup {
        guard let effect = journal.effects.first(where: { $0.metric == metric && $0.phase == phase }) else {
            return "<td></td>"
        }
        let text = EffectText(effect)
        guard effect.differs else {
            return "<td class=\"none\">no difference <span class=\"soft\">(\(text.interval))</span></td>"
        }
        return "<td class=\"effect\">\(text.difference) <span class=\"soft\">(\(text.interval))</span></td>"
    }

    private func note(_ hasEffects: Bool) -> Markup {
        let interval = hasEffects ? " In brackets the 95 % interval of the difference." : ""
        return """
            <p class="note">Latency counts from the moment a request was due, over all requests: a failed one with the \
            time until it failed.\(interval)</p>
            """
    }
}
