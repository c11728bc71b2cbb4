import Experiments
import Foundation

/// What was measured of the lab and of the kernel, beside what theory says; a line that differs is a defect of the lab.
struct FidelityTable: Sendable {
    /// How sure a difference must be: 99.9 % for the table as a whole, which has some hundred comparisons. Each one is
    /// asked for 1 - 0.001 / 100: so far from the middle of a normal distribution.
    static let quantile = 4.42
    /// The same chance, for the greatest distance between two distribution functions (Kolmogorov and Smirnov).
    static func greatestDistance(_ count: Int) -> Double { (log(2 / 1e-5) / 2 / Double(count)).squareRoot() }

    struct Line: Sendable {
        let name: String
        let expected: String
        let lab: String
        let kernel: String
        let differs: Bool
    }

    private(set) var lines: [Line] = []
    static let noNetem = "not on this kernel"

    mutating func add(_ name: String, expected: String, lab: String, kernel: String, differs: Bool) {
        lines.append(Line(name: name, expected: expected, lab: lab, kernel: kernel, differs: differs))
    }

    /// Hits of trials.
    struct Count: Sendable {
        let hits: Int
        let trials: Int

        var share: Double { Double(hits) / Double(max(trials, 1)) }

        fileprivate func contains(_ expected: Double) -> Bool {
            WilsonInterval(hits: UInt64(hits), of: UInt64(trials), quantile: FidelityTable.quantile).contains(expected)
        }

        fileprivate func differs(from other: Count) -> Bool {
            let pooled = Double(hits + other.hits) / Double(max(trials + other.trials, 1))
            let whole = 1 / Double(max(trials, 1)) + 1 / Double(max(other.trials, 1))
            // Counts are whole: half a hit on each side decides nothing.
            return abs(share - other.share)
                > FidelityTable.quantile * (pooled * (1 - pooled) * whole).squareRoot() + whole / 2
        }

        fileprivate var text: String {
            let interval = WilsonInterval(hits: UInt64(hits), of: UInt64(trials), .percent95)
            return String(format: "%5.1f (%.1f to %.1f)", share * 100, interval.low * 100, interval.high * 100)
        }
    }

    /// A share that theory knows, in the lab and under a rule written by hand.
    mutating func add(_ name: String, expected: Double, lab: Count, kernel: Count) {
        add(
            name, expected: String(format: "%.1f", expected * 100), lab: lab.text, kernel: kernel.text,
            differs: !lab.contains(expected) || lab.differs(from: kernel))
    }

    /// For people, or for a file.
    var text: String {
        let rows =
            [["", "expected", "lab (95 %)", "kernel (95 %)", ""]]
            + lines.map { [$0.name, $0.expected, $0.lab, $0.kernel, $0.differs ? "DIFFERS" : "agrees"] }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            "fidelity | "
                + zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
                + "\n"
        }.joined()
    }
}
