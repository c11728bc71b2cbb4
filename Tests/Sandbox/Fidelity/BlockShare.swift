import Foundation

@testable import Sandbox

/// The share of packets lost, and how sure it is, where losses lean on each other: from how much whole blocks of them
/// vary.
struct BlockShare: Sendable {
    let share: Double
    /// Of the mean over all blocks.
    let deviation: Double

    init(lost count: Int, but arrivals: [Probe.Arrival], block: Int) {
        var lost = [Double](repeating: Double(block), count: count / block)
        for number in Set(arrivals.map(\.number)) where number / block < lost.count { lost[number / block] -= 1 }
        let shares = lost.map { $0 / Double(block) }
        let blocks = Double(shares.count)
        let mean = shares.reduce(0, +) / blocks
        let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (blocks - 1)
        // Never less than independent packets would vary.
        let least = max(mean * (1 - mean), 1 / Double(count)) / Double(block)
        share = mean
        deviation = (max(variance, least) / blocks).squareRoot()
    }

    func isOff(_ expected: Double) -> Bool { abs(share - expected) > FidelityTable.quantile * deviation }

    var text: String {
        String(
            format: "%.2f (%.2f to %.2f)", share * 100, max(0, share - 1.96 * deviation) * 100,
            min(1, share + 1.96 * deviation) * 100)
    }
}

extension Probe {
    /// What has arrived once nothing arrives any more.
    func settled() async -> [Arrival] {
        var before = -1
        while true {
            let now = (try? await arrivals(atLeast: 0)) ?? []
            if now.count == before { return now }
            before = now.count
            try? await Task.sleep(for: .milliseconds(500))
        }
    }
}
