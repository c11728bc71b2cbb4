import Experiments

/// The verdict, what was done, and why the verdict is what it is.
struct VerdictSection: Sendable {
    let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        let reasons: [Markup] = journal.reasons.map { "<li>\($0)</li>" }
        let fault = journal.fault.isEmpty ? journal.verdict.meaning : journal.fault
        return """
            <header class="panel hero" data-verdict="\(journal.verdict.rawValue)">
            \(Parts.badge(journal.verdict))
            <h1>\(journal.experiment)</h1>
            <p class="lead">\(fault)</p>
            <ul class="reasons">\(reasons)</ul>
            <p class="meta soft"><span>\(NumberText.time(journal.startedAt))</span><span>\(journal.runID)</span>\
            <span>engine \(journal.engine)</span><span>seed \(String(journal.seed))</span></p>
            </header>
            """
    }
}

/// The run in five numbers.
struct KeyFigures: Sendable {
    private struct Tile {
        let name: String
        let number: String
        /// `good`, `bad` or nothing.
        var tone = ""
        let detail: String
    }

    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var markup: Markup {
        let tiles: [Markup] = [success, latency, dose, recovery, money].compactMap { $0 }.map { tile in
            """
            <div class="tile"><dt>\(tile.name)</dt><dd><span class="number" data-tone="\(tile.tone)">\(tile.number)</span>\
            <span class="soft">\(tile.detail)</span></dd></div>
            """
        }
        return tiles.isEmpty ? .none : "<dl class=\"tiles\">\(tiles)</dl>"
    }

    private func measured(_ name: PhaseName) -> PhaseSummary? {
        journal.phase(name).flatMap { $0.requests > 0 ? $0 : nil }
    }

    private var success: Tile? {
        guard let fault = measured(.fault) else { return nil }
        let others = [
            measured(.baseline).map { "\(NumberText.percent($0.successRate)) before" },
            measured(.recovery).map { "\(NumberText.percent($0.successRate)) after" },
        ].compactMap { $0 }
        return Tile(
            name: "Success during the fault", number: NumberText.percent(fault.successRate),
            detail: others.joined(separator: ", "))
    }

    private var latency: Tile? {
        guard let fault = measured(.fault) else { return nil }
        let before = measured(.baseline).map { "\(NumberText.latency($0.p95Ms)) before" }
        let factor = journal.degradation.p95.map {
            "\u{00D7} \(NumberText.short($0.rounded(toPlaces: $0 < 10 ? 1 : 0)))"
        }
        return Tile(
            name: "p95 during the fault", number: NumberText.latency(fault.p95Ms),
            detail: [before, factor].compactMap { $0 }.joined(separator: ", "))
    }

    private var dose: Tile? {
        guard let dose = journal.dose else {
            return Tile(name: "Dose delivered", number: "unknown", tone: "bad", detail: "nothing is known of it")
        }
        let numbers = DoseText(dose)
        return Tile(
            name: "Dose delivered", number: numbers.delivered, tone: dose.effective ? "" : "bad",
            detail: "\(numbers.asked) asked" + (numbers.interval.map { ", 95 %: \($0)" } ?? ""))
    }

    private var recovery: Tile? {
        guard journal.phase(.recovery) != nil else { return nil }
        guard let time = journal.recoveryTimeMs else {
            return Tile(
                name: "Recovery", number: journal.metastable == true ? "metastable" : "none", tone: "bad",
                detail: "not well again while it was watched")
        }
        return Tile(
            name: "Recovery", number: NumberText.span(Double(time) / 1000), tone: "good",
            detail: time == 0 ? "the first second without the fault was good" : "after the fault was gone")
    }

    private var money: Tile {
        let check = journal.money
        if check.violationCount > 0 {
            return Tile(
                name: "Money", number: "wrong", tone: "bad",
                detail:
                    "\(NumberText.count(check.violationCount)) violations in \(NumberText.count(check.checked)) payments"
            )
        }
        if let reason = check.notChecked { return Tile(name: "Money", number: "not checked", detail: reason) }
        return Tile(
            name: "Money", number: "right", tone: "good", detail: "\(NumberText.count(check.checked)) payments checked")
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let scale = places == 1 ? 10.0 : 1
        return (self * scale).rounded() / scale
    }
}
