import Foundation
import Testing

@testable import Sandbox

/// The lab against the kernel's own truth: a short form by default, the long one with `make fidelity`.
@Suite("Fidelity of the lab")
struct FidelityTests {
    @Test(
        "Loss, correlated loss, delay and bandwidth are what the kernel makes of them",
        .enabled("needs TUN devices and namespaces") {
            await Again.access() != nil && TunDevice.obstacle() == nil
        }, .timeLimit(.minutes(10)))
    func agrees() async throws {
        let access = try #require(await Again.access())
        let printed = try await Again.inside(access, suite: "FidelityInsideTests")
        #expect(printed.contains("Suite FidelityInsideTests passed"), "\(printed)")
        let table = printed.split(separator: "\n").filter { $0.hasPrefix("fidelity | ") }
        #expect(table.count > 10)
        FileHandle.standardError.write(Data((table.joined(separator: "\n") + "\n").utf8))
    }

    // MARK: Theory

    /// As seen on the wire under Linux 6.18: SYN at 0, 1, 2, 3, 4, 5, 7 s; a request at 0, 207, 415, 839, 1675, 3339 ms.
    @Test func theScheduleIsTheKernels() {
        let new = Retransmission(linearTimeouts: 4, probesTail: true, minimumMs: 200, tickMs: 4)
        #expect(new.connectMs == [0, 1000, 2000, 3000, 4000, 5000, 7000])
        #expect(new.requestMs == [0, 204, 408, 816, 1632, 3264, 6528])
        let old = Retransmission(linearTimeouts: 0, probesTail: false, minimumMs: 200, tickMs: 4)
        #expect(old.connectMs == [0, 1000, 3000, 7000])
        #expect(old.requestMs == [0, 204, 612, 1428, 3060, 6324])
    }

    @Test func theSharesFollowFromTheSchedule() {
        let kernel = Retransmission(linearTimeouts: 4, probesTail: true, minimumMs: 200, tickMs: 4)
        #expect(abs(kernel.connected(loss: 0.8, byMs: 4980) - (1 - pow(0.8, 5))) < 1e-12)
        #expect(abs(kernel.answered(loss: 0.8, byMs: 980) - (1 - pow(0.8, 4))) < 1e-12)
        // Without a loss all is done at once, with all lost nothing ever is.
        #expect(kernel.answeredFresh(loss: 0, byMs: 10) == 1 && kernel.answeredFresh(loss: 1, byMs: 9000) == 0)
        // Connected at 0 s or at 1 s, and the request then has 5 tries or 4.
        let byTwo = 0.5 * (1 - pow(0.5, 5)) + 0.25 * (1 - pow(0.5, 4))
        #expect(abs(kernel.answeredFresh(loss: 0.5, byMs: 1980) - byTwo) < 1e-12)
    }

    // MARK: Verdicts

    @Test func aDifferenceIsOneWhenItIsSure() {
        func differs(_ lab: Int, _ kernel: Int, of trials: Int, expected: Double) -> Bool {
            var table = FidelityTable()
            table.add(
                "x", expected: expected, lab: .init(hits: lab, trials: trials),
                kernel: .init(hits: kernel, trials: trials))
            return table.lines[0].differs
        }
        #expect(!differs(500, 520, of: 1000, expected: 0.5))
        #expect(differs(500, 520, of: 1000, expected: 0.6), "theory says otherwise")
        #expect(differs(500, 640, of: 1000, expected: 0.5), "the kernel does otherwise")
        #expect(!differs(0, 0, of: 100, expected: 0) && !differs(100, 100, of: 100, expected: 1))
        #expect(abs(FidelityTable.greatestDistance(10_000) - 0.0247) < 0.0001)
    }
}
