import Foundation

/// A comparison as a plain table for a terminal.
public enum ComparisonTable {
    private static let widths = [22, 12, 12, 14, 26]

    /// Ends with a line break.
    public static func render(_ comparison: RunComparison, gates: [RegressionGate.Finding] = []) -> String {
        var lines = [
            "A             \(name(comparison.a))", "B             \(name(comparison.b))", "",
            row(["", "A", "B", "difference", "95 % interval", ""]),
        ]
        for line in comparison.lines {
            let metric = line.metric
            lines.append(
                row([
                    "\(RunTimeline.name(line.phase)) \(metric.rawValue)", metric.text(line.a), metric.text(line.b),
                    metric.differenceText(line.difference),
                    "\(metric.differenceText(line.low)) to \(metric.differenceText(line.high))",
                    line.differs ? "  DIFFERS" : "",
                ]))
        }
        lines += ["", "Recovery      A \(recovery(comparison.a)), B \(recovery(comparison.b))"]
        lines += comparison.notes.map { "Note          \($0)" }
        lines.append("Verdict       \(comparison.sentence)")
        lines += gates.map { "Gate          \($0.gate) \($0.isTripped ? "TRIPPED" : "passed"): \($0.text)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func name(_ run: RunComparison.Run) -> String {
        "\(run.experiment) (run \(run.runID), \(run.verdict.rawValue))"
    }

    private static func recovery(_ run: RunComparison.Run) -> String {
        run.timeToRecoverMs.map { NumberText.span(Double($0) / 1000) } ?? "none"
    }

    private static func row(_ cells: [String]) -> String {
        let text = cells.enumerated().map { index, cell -> String in
            guard index < widths.count else { return cell }
            let room = String(repeating: " ", count: max(index == 0 ? 0 : 1, widths[index] - cell.count))
            return index == 0 ? cell + room : room + cell
        }.joined()
        return String(text.reversed().drop { $0 == " " }.reversed())
    }
}

extension RunComparison {
    /// The outcome in one sentence.
    public var sentence: String {
        let names = lines.filter(\.differs).map { "\($0.metric.rawValue) \(RunTimeline.name($0.phase))" }
        if lines.isEmpty { return "nothing could be compared" }
        return names.isEmpty
            ? "no difference beyond what chance makes of \(lines.count) numbers"
            : "B differs from A in \(names.joined(separator: ", "))"
    }

    /// As JSON with sorted keys and a line break at the end.
    public func json(gates: [RegressionGate.Finding] = []) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(Document(comparison: self, gates: gates)) + Data("\n".utf8)
    }

    private struct Document: Encodable {
        let comparison: RunComparison
        let gates: [RegressionGate.Finding]

        private enum CodingKeys: String, CodingKey { case differs, gates, sentence }

        func encode(to encoder: any Encoder) throws {
            try comparison.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(comparison.differs, forKey: .differs)
            try container.encode(comparison.sentence, forKey: .sentence)
            try container.encode(gates, forKey: .gates)
        }
    }
}
