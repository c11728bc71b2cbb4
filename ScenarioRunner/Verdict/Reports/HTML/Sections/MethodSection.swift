import Foundation

/// What each replica's users met while the fault was in force, and which replica is not like its peers.
struct ReplicaTable: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        let replicas = journal.replicas.filter { $0.phase == .fault }
        guard !replicas.isEmpty else { return .none }
        let rows: [Markup] = replicas.map { replica in
            """
            <tr><th scope="row">\(replica.replica)</th><td>\(NumberText.count(replica.requests))</td>\
            <td>\(NumberText.percent(replica.successRate))</td><td>\(NumberText.latency(replica.p50Ms))</td>\
            <td>\(NumberText.latency(replica.p95Ms))</td></tr>
            """
        }
        let findings: [Markup] = journal.replicaFindings.map { "<li>\($0.text)</li>" }
        return """
            <h3>Who answered during the fault</h3><div class="wide" tabindex="0" role="region" aria-label="Replicas">\
            <table><thead><tr><td></td><th scope="col">answers</th><th scope="col">success</th><th scope="col">p50</th>\
            <th scope="col">p95</th></tr></thead><tbody>\(rows)</tbody></table></div><ul class="note">\(findings)</ul>
            """
    }
}

/// What happened when, with the numbers that the charts carry.
struct EventSection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup? {
        guard !journal.events.isEmpty else { return nil }
        let rows: [Markup] = journal.events.enumerated().map { index, event in
            """
            <tr><td>\(index + 1)</td><td>\(String(format: "%.1f s", event.t))</td>\
            <td>\(event.name.replacingOccurrences(of: "_", with: " "))</td><td>\(event.detail)</td></tr>
            """
        }
        return Parts.panel(
            "events", "What happened when",
            """
            <table class="text events"><thead><tr><th scope="col">no.</th><th scope="col">time</th><th scope="col">event</th>\
            <th scope="col"></th></tr></thead><tbody>\(rows)</tbody></table>
            """)
    }
}

/// How the run was made, so that it can be made again, and its numbers second by second.
struct MethodSection: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        """
        <details><summary>How this was made</summary>
        <h3>Asked for</h3>\(Parts.facts(input))
        \(load)
        <h3>Machine</h3>\(Parts.facts(machine))
        \(doctor)
        \(manifest)
        </details>
        \(seconds)
        """
    }

    private var input: [(name: String, value: Markup)] {
        let input = journal.input
        var facts: [(name: String, value: Markup)] = [
            (
                "times",
                "before \(NumberText.span(input.baselineS)), fault \(NumberText.span(input.durationS)), after \(NumberText.span(input.recoveryS))"
            ),
            (
                "load",
                input.rateRps > 0
                    ? "\(NumberText.short(input.rateRps)) requests a second, \(input.model) model, \(input.arrivals) arrivals"
                    : "none"
            ),
            ("profile", "\(input.profile ?? "the usual mix of chains and payments")"),
            ("resilience", "\(input.resilience ?? "not noted")"),
            ("hypothesis", input.hypothesis.map { "<code>\($0)</code>" } ?? "none"),
            ("asked by", "\(input.origin)"), ("seed", "\(String(journal.seed))"),
        ]
        if !input.stopConditions.isEmpty {
            facts.insert(("stops early", "<code>\(input.stopConditions.joined(separator: ", "))</code>"), at: 5)
        }
        return facts
    }

    private var load: Markup {
        guard let load = journal.load else { return .none }
        var facts: [(name: String, value: Markup)] = [
            ("sent", "\(NumberText.count(load.sent))"),
            ("sent late", "\(NumberText.count(load.lateSends)), more than 1 ms after they were due"),
            ("never sent", "\(NumberText.count(load.dropped))"),
        ]
        if let cpu = load.cpuUsPerRequest {
            facts.append(("cost", "\(NumberText.short(cpu)) \u{00B5}s of CPU a request"))
        }
        return "<h3>Load generator</h3>\(Parts.facts(facts))"
    }

    private var machine: [(name: String, value: Markup)] {
        let machine = journal.machine
        return [
            ("kernel", "\(machine.kernel)"), ("processors", "\(machine.cores)"),
            ("memory", "\(String(format: "%.1f GB", Double(machine.memoryBytes) / 1e9))"),
            ("engine", "\(journal.engine)"), ("program", "scenario-runner \(machine.programVersion)"),
        ]
    }

    private var doctor: Markup {
        guard !journal.doctor.isEmpty else { return .none }
        let rows: [Markup] = journal.doctor.sorted { $0.key < $1.key }.map { name, finding in
            let remedy: Markup = finding.remedy.map { "<br><span class=\"soft\">\($0)</span>" } ?? .none
            return "<tr><td>\(name)</td><td>\(finding.status)</td><td>\(finding.detail)\(remedy)</td></tr>"
        }
        return """
            <h3>What the machine can do</h3><table class="text"><thead><tr><th scope="col">what</th>\
            <th scope="col">state</th><th scope="col">found</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private var manifest: Markup {
        journal.input.manifest.isEmpty ? .none : "<h3>Manifest</h3><pre tabindex=\"0\">\(journal.input.manifest)</pre>"
    }

    /// What the charts show, as a table; the script of the page reads it too.
    private var seconds: Markup? {
        guard !journal.series.isEmpty else { return nil }
        let causes = RequestCause.allCases.filter { cause in journal.series.contains { cause.count($0.counts) > 0 } }
        let heads: [Markup] = causes.map { "<th scope=\"col\">\($0.label)</th>" }
        let rows: [Markup] = journal.series.map { point in
            let counts: [Markup] = causes.map { "<td>\($0.count(point.counts))</td>" }
            let latencies: [Markup] = [point.p50Ms, point.p95Ms, point.p99Ms].map { value in
                "<td>\(point.requests > 0 ? NumberText.latency(value) : "")</td>"
            }
            return """
                <tr><th scope="row">\(point.t) s</th><td>\(point.phase.map(RunTimeline.name) ?? "")</td>\
                <td>\(point.requests)</td>\(counts)\(latencies)</tr>

                """
        }
        let end = Markup.coordinate(RunTimeline(journal).end)
        return """
            <details><summary>Every second in numbers</summary>
            <div class="wide" tabindex="0" role="region" aria-label="Every second"><table data-seconds="\(end)">\
            <thead><tr><th scope="col">second</th><th scope="col">part</th><th scope="col">offered</th>\(heads)\
            <th scope="col">p50</th><th scope="col">p95</th><th scope="col">p99</th></tr></thead>
            <tbody>\(rows)</tbody></table></div></details>
            """
    }
}
