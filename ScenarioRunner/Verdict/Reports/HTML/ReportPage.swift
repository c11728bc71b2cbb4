/// One run as one offline HTML file: the verdict first, then what it did to the users, then how it was done.
public struct ReportPage: Sendable {
    private let journal: Journal

    public init(_ journal: Journal) { self.journal = journal }

    /// The whole file. Two calls for one journal give the same text.
    public var html: String {
        OfflinePage(title: "\(journal.experiment): \(journal.verdict.rawValue)", body: body).html
    }

    private var body: Markup {
        """
        <main>
        \(VerdictSection(journal).markup)
        \(KeyFigures(journal).markup)
        \(chartSection)
        \(ImpactSection(journal).markup)
        <div class="columns">
        \(HypothesisSection(journal).markup)
        \(RecoverySection(journal).markup)
        \(DoseSection(journal).markup)
        \(MoneySection(journal).markup)
        </div>
        \(topologySection)
        \(EventSection(journal).markup)
        \(MethodSection(journal).markup)
        <footer>payment-chaos \(journal.machine.programVersion), journal schema \(Journal.schemaVersion)</footer>
        </main>
        """
    }

    private var chartSection: Markup? {
        let charts = RunCharts(journal).markup
        guard charts != .none else { return nil }
        return """
            <section class="panel" aria-labelledby="time-head"><h2 id="time-head">What the users met</h2>
            <div class="charts">\(charts)</div></section>
            """
    }

    private var topologySection: Markup? {
        let drawing = TopologyDrawing(journal.topology).markup
        guard drawing != .none else { return nil }
        return """
            <section class="panel" aria-labelledby="topology-head"><h2 id="topology-head">Where the fault was</h2>
            \(drawing)\(ReplicaTable(journal).markup)</section>
            """
    }
}

/// What the sections are built with.
enum Parts {
    /// A panel with a heading; nothing without content.
    static func panel(_ id: String, _ title: String, _ content: Markup) -> Markup {
        """
        <section class="panel" aria-labelledby="\(id)-head"><h2 id="\(id)-head">\(title)</h2>
        \(content)
        </section>
        """
    }

    static func facts(_ facts: [(name: String, value: Markup)]) -> Markup {
        let rows: [Markup] = facts.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>" }
        return "<dl class=\"facts\">\(rows)</dl>"
    }

    static func badge(_ verdict: Verdict, small: Bool = false) -> Markup {
        """
        <span class="badge\(small ? " small" : "")" data-verdict="\(verdict.rawValue)">\
        <span aria-hidden="true">\(verdict.sign)</span>\(verdict.rawValue)</span>
        """
    }
}

extension Verdict {
    /// Says it without colour.
    var sign: String {
        switch self {
        case .held: "\u{2713}"
        case .deviated: "\u{2715}"
        case .aborted: "\u{25A0}"
        case .invalid: "?"
        }
    }

    /// What it means, in a sentence.
    var meaning: String {
        switch self {
        case .held: "What was expected of the system is what it did."
        case .deviated: "The system did not do what was expected of it."
        case .aborted: "The run was ended before its time, so it is not judged."
        case .invalid: "The run says nothing about the system."
        }
    }
}
