import Experiments

/// What was expected, clause by clause, with what was measured.
struct HypothesisSection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        guard !journal.expected.clauses.isEmpty else {
            return Parts.panel(
                "hypothesis", "Hypothesis",
                "<p>The experiment names none. What every run has to do: deliver its dose, recover, keep the money right.</p>"
            )
        }
        let rows: [Markup] = journal.expected.clauses.map { clause in
            """
            <tr><td><code>\(clause.text)</code></td><td>\(clause.measured)</td>\
            <td class="outcome" data-outcome="\(clause.outcome.rawValue)">\(clause.outcome.words)</td></tr>
            """
        }
        return Parts.panel(
            "hypothesis", "Hypothesis",
            """
            <table class="text"><thead><tr><th scope="col">expected</th><th scope="col">measured</th>\
            <th scope="col">outcome</th></tr></thead><tbody>\(rows)</tbody></table>
            """)
    }
}

extension ExpectedFacts.Clause.Outcome {
    /// With a sign, for those who do not see the colour.
    var words: String {
        switch self {
        case .held: "\u{2713} held"
        case .failed: "\u{2715} failed"
        case .unknown: "? not known"
        }
    }
}

/// How the system met the fault and came back.
struct RecoverySection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup? {
        guard journal.phase(.recovery) != nil || journal.phase(.fault) != nil else { return nil }
        return Parts.panel(
            "recovery", "Recovery",
            Parts.facts([
                ("felt by users", "\(detected)"), ("well again", "\(recovered)"), ("backlog drained", "\(drained)"),
                ("metastable", "\(metastable)"), ("what stays", residual),
            ]))
    }

    private var detected: String {
        guard let time = journal.recovery.timeToDetectMs else { return "in no second" }
        return time == 0 ? "in the first second of the fault" : "\(Self.time(time)) after the fault was in force"
    }

    private var recovered: String {
        if let time = journal.recoveryTimeMs {
            return time == 0 ? "in the first second without the fault" : "\(Self.time(time)) after the fault was gone"
        }
        return journal.phase(.recovery) == nil ? "not watched" : "not while it was watched"
    }

    private var drained: String {
        if let time = journal.recovery.backlogDrainedMs { return "\(Self.time(time)) after the fault was gone" }
        return journal.recovery.backlog.isEmpty ? "not looked at" : "not while it was watched"
    }

    private var metastable: String {
        switch journal.metastable {
        case true?: "yes: the fault is gone and the system stays bad"
        case false?: "no"
        case nil: "not judged"
        }
    }

    private var residual: Markup {
        let stays = journal.recovery.residual.filter(\.differs)
        if journal.recovery.residual.isEmpty { return "too little was watched to say" }
        if stays.isEmpty { return "nothing: the end of the recovery is like before" }
        let lines: [Markup] = stays.map { effect in
            let text = EffectText(effect)
            return """
                <li>\(effect.metric.words) \(text.difference) <span class="soft">(\(text.interval))</span></li>
                """
        }
        return "<ul>\(lines)</ul>"
    }

    private static func time(_ ms: Int) -> String { NumberText.span((Double(ms) / 100).rounded() / 10) }
}

extension Effect.Metric {
    /// As the tables call it.
    var words: String {
        switch self {
        case .successRate: "success"
        case .throughputRps: "throughput"
        case .p50Ms: "p50"
        case .p95Ms: "p95"
        case .p99Ms: "p99"
        }
    }
}

/// What was asked for and what was delivered, with the interval.
struct DoseSection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        guard let dose = journal.dose else {
            return Parts.panel("dose", "Dose", "<p>Nothing is known of the dose.</p>")
        }
        let doses = [dose] + (dose.others ?? [])
        let parts: [Markup] = doses.map(part)
        let findings: [Markup] = dose.findings.map { "<li>\($0)</li>" }
        return Parts.panel("dose", "Dose", "\(parts)<ul class=\"note\">\(findings)</ul>")
    }

    private func part(_ dose: Dose) -> Markup {
        let text = DoseText(dose)
        var facts: [(name: String, value: Markup)] = [
            ("asked", "\(text.asked)"), ("delivered", "<strong>\(text.delivered)</strong>"),
        ]
        if let interval = text.interval { facts.append(("95 % interval", "\(interval)")) }
        facts += [
            ("counted", "\(dose.detail)"),
            ("in force", dose.effective ? "\u{2713} as asked" : "<strong>\u{2715} not as asked</strong>"),
        ]
        return "\(gauge(dose, text))\(Parts.facts(facts))"
    }

    /// Asked and delivered on one line; nothing where there is no interval to see.
    private func gauge(_ dose: Dose, _ text: DoseText) -> Markup {
        let most = dose.unit == "percent" ? 100 : max(dose.asked, dose.high, dose.delivered) * 1.15
        guard most > 0, text.interval != nil else { return .none }
        func percent(_ value: Double) -> Double { min(max(value / most, 0), 1) * 98 + 1 }
        let asked = percent(dose.asked)
        return """
            <svg class="gauge" height="46" role="img" aria-label="asked \(text.asked), delivered \(text.delivered)">
            <line class="track" x1="1%" x2="99%" y1="14" y2="14"/>
            <line class="interval" x1="\(percent(dose.low))%" x2="\(percent(dose.high))%" y1="14" y2="14"/>
            <circle class="delivered" cx="\(percent(dose.delivered))%" cy="14" r="5"/>
            <line class="asked" x1="\(asked)%" x2="\(asked)%" y1="3" y2="25"/>
            <text x="\(asked)%" y="40" text-anchor="\(asked > 85 ? "end" : asked < 15 ? "start" : "middle")">\
            asked \(text.asked)</text>
            </svg>
            """
    }
}

/// Whether the books agree with each other and with what users were told.
struct MoneySection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        let check = journal.money
        guard check.violationCount > 0 else {
            let text =
                check.notChecked.map { "Not checked: \($0)." }
                ?? "Right: \(NumberText.count(check.checked)) payments were compared in the books of payment, gateway, "
                + "inventory and notification, and with what their users were told."
            return Parts.panel("books", "Money", "<p>\(text)</p>")
        }
        let violations: [Markup] = check.violations.map { violation in
            let history = violation.history.joined(separator: "\n")
            return "<details><summary>\(violation.line)</summary><pre>\(history)</pre></details>"
        }
        let more = check.violationCount - check.violations.count
        let rest: Markup = more > 0 ? "<p class=\"note\">and \(NumberText.count(more)) more</p>" : .none
        return Parts.panel(
            "books", "Money",
            """
            <p class="outcome" data-outcome="failed">\u{2715} Wrong: \(NumberText.count(check.violationCount)) violations \
            in \(NumberText.count(check.checked)) payments</p>\(violations)\(rest)
            """)
    }
}
