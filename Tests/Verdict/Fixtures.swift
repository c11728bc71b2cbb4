import Experiments
import Verdict

/// Samples made by hand, on a clock that starts at ``start``.
enum Fixtures {
    static let start: UInt64 = 5_000_000_000_000
    static let second: UInt64 = 1_000_000_000

    static func at(_ seconds: Double) -> UInt64 { start + UInt64((seconds * 1e9).rounded()) }

    static func sample(
        _ seconds: Double, ms: Double = 10, _ outcome: RequestSample.Outcome = .status(200), delayMs: Double = 0,
        replica: String? = nil
    ) -> RequestSample {
        RequestSample(
            endpoint: "chain", intendedNs: at(seconds), sendDelayNs: UInt64(delayMs * 1e6), latencyNs: UInt64(ms * 1e6),
            outcome: outcome, replica: replica)
    }

    /// Twenty requests in each second of the range; `failures` of them time out after 10 s.
    static func load(
        _ seconds: Range<Int>, ms: Double = 10, failures: Int = 0, replica: String? = nil
    ) -> [RequestSample] {
        seconds.flatMap { second in
            (0..<20).map { index in
                let due = Double(second) + Double(index) / 20
                return index < failures ? sample(due, ms: 10_000, .timedOut) : sample(due, ms: ms, replica: replica)
            }
        }
    }

    static var clock: PhaseClock {
        var clock = PhaseClock(startNs: start)
        clock.set(.warmUp, from: at(0), to: at(2))
        clock.set(.baseline, from: at(2), to: at(12))
        clock.set(.fault, from: at(12.5), to: at(42.5))
        clock.set(.recovery, from: at(43), to: at(63))
        return clock
    }

    static func summary(_ samples: [RequestSample], name: PhaseName = .baseline, durationS: Double = 10) -> PhaseSummary
    {
        PhaseSummary(name: name, samples: samples, startedAt: 1000, durationS: durationS)
    }

    static let input = RunInput(
        baselineS: 10, durationS: 30, recoveryS: 20, rateRps: 20, resilience: "naive",
        hypothesis: "success >= 30%",
        stopConditions: ["money wrong"], origin: "command-line", manifest: "kind: NetworkChaos\n")
    static let machine = RunMachine(kernel: "6.1.0", cores: 2, memoryBytes: 8 << 30, programVersion: "1.0.0")

    static let goodDose = Dose(.packets(asked: 0.8, seen: 472, dropped: 382))
    static let wrongMoney = MoneyCheck(violations: [MoneyViolation(rule: .oneCharge, text: "charged twice")])
    static let badDose = Dose(.packets(asked: 0.8, seen: 472, dropped: 3))
}
