import Foundation
import Shared

/// What came of the presses.
struct HaltReport: Sendable {
    struct Record: Sendable {
        let press: HaltPress
        /// From the press to the answer, as who pressed it has it. When the answer comes no fault is left.
        let took: Duration
        /// Whether the faults were seen in the kernel before the press.
        let hadTraces: Bool
        /// Traces of faults after the answer.
        let left: [String]
        let isAnsweredWell: Bool
    }

    /// What nobody should have to wait longer for.
    static let aim = Duration.milliseconds(300)

    let plan: HaltPlan
    let records: [Record]

    /// For people.
    var text: String {
        let early = records.count { $0.press.isEarly }
        let rows =
            [Self.row("all", records.map(\.took))]
            + HaltFault.all.map { fault in
                Self.row(fault.name, records.filter { $0.press.faults.contains { $0.name == fault.name } }.map(\.took))
            }
        let isMet = Self.percentile(0.99, of: records.map(\.took)) < Self.aim
        return """
            halt: \(records.count) presses, \(early) of them while faults were being put in force; HALT_SEED=\(plan.seed)
              from the press to the last fault gone, ms, by what was in force
                                       n     p50     p90     p99     max
            \(rows.joined(separator: "\n"))
              p99 under \(Int(Self.aim.milliseconds)) ms: \(isMet ? "yes" : "no")

            """
    }

    private static func row(_ name: String, _ times: [Duration]) -> String {
        let figures = [0.5, 0.9, 0.99, 1].map { String(format: "%8.1f", percentile($0, of: times) / .milliseconds(1)) }
        let count = String(times.count)
        return "  " + name.padding(toLength: 20, withPad: " ", startingAt: 0)
            + String(repeating: " ", count: max(0, 6 - count.count)) + count + figures.joined()
    }

    /// The smallest time that so large a share does not exceed; zero for none.
    static func percentile(_ share: Double, of times: [Duration]) -> Duration {
        guard !times.isEmpty else { return .zero }
        let rank = Int((share * Double(times.count)).rounded(.up))
        return times.sorted()[min(max(rank, 1), times.count) - 1]
    }
}
