import Foundation
import Shared

@testable import ScenarioRunner
@testable import Verdict

/// What came of a soak.
struct SoakReport: Sendable {
    let plan: SoakPlan
    let record: SoakRecord.State
    let check: MoneyCheck
    /// Refunds that are not as their clients were told.
    var brokenRefunds: [String] = []
    var loadTime = Duration.zero
    /// From the last client's end until every payment was final, the reading of the books included; nil when some
    /// never were.
    var settleTime: Duration?
    var checkTime = Duration.zero

    /// For people: one line a figure.
    var text: String {
        let outcomes = Dictionary(grouping: record.operations, by: \.outcome.rawValue).mapValues(\.count)
        let seconds = loadTime.seconds
        let losses = SoakLoss.pathNames.map { name in
            let turns = record.lossTurns.filter { $0.path == name }
            let mean = turns.isEmpty ? 0 : turns.map(\.delivered).reduce(0, +) / Double(turns.count)
            return "\(name) \(turns.count) (\(Self.number(mean)) %)"
        }
        return """
            soak: seed \(plan.seed)
              payments    \(record.operations.count) of \(plan.payments): \(Self.list(outcomes))
              requests    \(record.requests), refunds \(record.refunds.count), of them acknowledged \
            \(record.refunds.count { $0.isAcknowledged })
              kills       \(record.kills.values.reduce(0, +)): \(Self.list(record.kills))
              loss turns  \(losses.joined(separator: ", "))
              mode turns  \(record.modeTurns)
              throughput  \(Self.number(Double(record.operations.count) / max(seconds, 0.001))) payments/s over \
            \(Self.number(seconds)) s
              settled     \(settleTime.map { "\(Self.number($0.seconds)) s after the last client" } ?? "not in time")
              checked     in \(Self.number(checkTime.seconds)) s
              money       \(CheckCommand.text(check).replacing("\n", with: "\n    "))
              promises    \((record.brokenPromises + brokenRefunds).count) broken\
            \((record.brokenPromises + brokenRefunds).prefix(20).map { "\n    \($0)" }.joined())

            """
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    fileprivate static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// A line now and then, for whoever watches a long soak.
struct SoakProgress: Sendable {
    let plan: SoakPlan
    let record: SoakRecord

    func run(until stop: Latch) async {
        var (next, last) = (ContinuousClock.now, 0)
        while await !stop.wait(until: next + plan.progressPeriod) {
            next += plan.progressPeriod
            let now = record.now
            let rate = Double(now.operations.count - last) / plan.progressPeriod.seconds
            last = now.operations.count
            Self.say(
                "soak: \(last) of \(plan.payments) payments, \(SoakReport.number(rate))/s, "
                    + "\(now.kills.values.reduce(0, +)) kills, \(now.lossTurns.count) loss turns\n")
        }
    }

    /// To standard error, which a test runner passes on at once.
    static func say(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
