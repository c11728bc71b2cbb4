import Experiments
import Foundation
import Load
import Verdict

/// The summary of a load as a plain table for a terminal.
enum LoadTable {
    static func render(_ summary: LoadSummary) -> String {
        var lines = [headline(summary), ""]
        func row(_ label: String, _ text: String) { lines.append("\(pad(label))\(text)") }
        row("requests", "\(summary.requests) in \(number(summary.durationS)) s (\(number(summary.rateRps))/s)")
        row("success", "\(ReportTable.percent(summary.successRate)) (\(number(summary.throughputRps))/s)")
        row(
            "answers",
            summary.byStatus.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "  "))
        let times = [
            ("p50", summary.p50Ms), ("p90", summary.p90Ms), ("p95", summary.p95Ms), ("p99", summary.p99Ms),
            ("p99.9", summary.p999Ms), ("max", summary.maxMs),
        ]
        row("latency", times.map { "\($0.0) \(ReportTable.duration($0.1))" }.joined(separator: "  "))
        row("late sends", "\(summary.lateSends) (\(share(summary.lateSends, of: summary)))")
        row("never sent", "\(summary.dropped) (\(share(summary.dropped, of: summary)))")
        if let cpu = summary.cpuUsPerRequest { row("generator", "\(number(cpu)) us of CPU a request") }
        lines += parts(summary)
        lines += thresholds(summary)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func headline(_ summary: LoadSummary) -> String {
        let model =
            summary.arrivals.map { "\(summary.model), \($0.rawValue) arrivals" }
            ?? "\(summary.model), \(summary.users ?? 0) users"
        let end = summary.wasStopped ? ", stopped early" : ""
        return "Load          \(summary.name) (\(model), seed \(summary.seed)\(end))"
    }

    private static func parts(_ summary: LoadSummary) -> [String] {
        guard summary.byRequest.count > 1 else { return [] }
        return [""]
            + summary.byRequest.map { part in
                "\(pad(part.name))\(part.requests) requests  \(ReportTable.percent(part.successRate)) ok  "
                    + "p50 \(ReportTable.duration(part.p50Ms))  p99 \(ReportTable.duration(part.p99Ms))"
            }
    }

    private static func thresholds(_ summary: LoadSummary) -> [String] {
        guard !summary.thresholds.isEmpty else { return [] }
        return [""]
            + summary.thresholds.map {
                "\(pad($0.held ? "held" : "FAILED"))\($0.threshold)  (measured: \($0.measured))"
            }
    }

    private static func share(_ count: Int, of summary: LoadSummary) -> String {
        summary.requests == 0
            ? "0 %" : String(format: "%.2f %%", Double(count) * 100 / Double(summary.requests))
    }

    private static func number(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? String(format: "%.0f", tenths) : String(format: "%.1f", tenths)
    }

    private static func pad(_ label: String) -> String {
        label.count < 14 ? label.padding(toLength: 14, withPad: " ", startingAt: 0) : label + " "
    }
}
