import Experiments
import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// The measurements; started inside namespaces by ``FidelityTests``.
@Suite(
    .enabled(if: Again.role == "FidelityInsideTests", "runs inside namespaces, by FidelityTests"), .serialized)
struct FidelityInsideTests {
    private let plan = FidelityPlan()
    private let source = "10.77.1.1"
    /// A host that has no connections: what TCP ends late would be counted with the packets.
    private let quietSource = "10.77.3.1"
    private let target = "10.77.2.1"

    init() async throws {
        RequestTrials.raiseLimit()
        try await InsideLab.start()
    }

    @Test func agrees() async throws {
        var table = FidelityTable()
        try await loss(&table)
        let hasNetem = await KernelReference.hasNetem()
        for (loss, correlation) in plan.correlated {
            try await correlatedLoss(Double(loss) / 100, Double(correlation) / 100, hasNetem, &table)
        }
        for correlation in [0, 50] { try await delay(correlation: correlation, hasNetem, &table) }
        try await bandwidth(&table)
        FileHandle.standardOutput.write(Data(("\n" + table.text).utf8))
        for line in table.lines { #expect(!line.differs, "\(line)") }
    }

    // MARK: Loss

    /// A repetition that is due at a whole second is not there by then.
    private static let cutsMs = [980.0, 1980, 4980]
    private static let spreadMs = 500

    private struct Arm {
        var connected: [RequestTrials.Outcome] = []
        var kept: [RequestTrials.Outcome] = []
    }

    private func loss(_ table: inout FidelityTable) async throws {
        let theory = Retransmission.ofThisKernel()
        let servers = (lab: try await EchoServer(on: "inventory-0"), kernel: try await EchoServer(on: "inventory-1"))
        for percent in plan.losses {
            var (lab, kernel) = (Arm(), Arm())
            for _ in 0..<plan.rounds {
                try await round(percent, (target, servers.lab.port), (KernelReference.target, servers.kernel.port)) {
                    lab.connected += $0.connected
                    lab.kept += $0.kept
                    kernel.connected += $1.connected
                    kernel.kept += $1.kept
                }
            }
            add(Double(percent) / 100, theory, lab, kernel, &table)
        }
        withExtendedLifetime(servers) {}
    }

    /// Both at once, so that they meet the same machine.
    private func round(
        _ percent: Int, _ lab: (address: String, port: Int), _ kernel: (address: String, port: Int),
        _ result: (Arm, Arm) -> Void
    ) async throws {
        let count = plan.connections
        let keptByLab = try await RequestTrials.sockets(count, on: "payment-0", connectedTo: lab)
        let keptByKernel = try await RequestTrials.sockets(count, on: "payment-1", connectedTo: kernel)
        let newByLab = try await RequestTrials.sockets(count, on: "payment-0")
        let newByKernel = try await RequestTrials.sockets(count, on: "payment-1")
        let fault = try PacketLossFault(
            id: "fidelity", sources: [source], targets: [target], direction: .to, lossBasisPoints: percent * 100)
        try await fault.apply()
        try await fault.verify()
        try await KernelReference.dropping(percent) {
            async let a = Self.trials(newByLab, lab)
            async let b = Self.trials(keptByLab, nil)
            async let c = Self.trials(newByKernel, kernel)
            async let d = Self.trials(keptByKernel, nil)
            result(Arm(connected: try await a, kept: try await b), Arm(connected: try await c, kept: try await d))
        }
        try await fault.undo()
    }

    private static func trials(
        _ sockets: [TestSocket], _ end: (address: String, port: Int)?
    ) async throws -> [RequestTrials.Outcome] {
        try await RequestTrials.run(sockets, connectingTo: end, spreadMs: spreadMs, patienceMs: 5100)
    }

    private func add(
        _ loss: Double, _ theory: Retransmission, _ lab: Arm, _ kernel: Arm, _ table: inout FidelityTable
    ) {
        for cut in Self.cutsMs {
            func count(_ outcomes: [RequestTrials.Outcome], _ time: (RequestTrials.Outcome) -> Double?)
                -> FidelityTable.Count
            {
                .init(hits: outcomes.count { (time($0) ?? .infinity) <= cut }, trials: outcomes.count)
            }
            func add(
                _ what: String, _ expected: Double, _ outcomes: (Arm) -> [RequestTrials.Outcome],
                _ time: (RequestTrials.Outcome) -> Double?
            ) {
                table.add(
                    "loss \(Int(loss * 100)) %, \(what) by \(Int((cut / 1000).rounded())) s, %", expected: expected,
                    lab: count(outcomes(lab), time), kernel: count(outcomes(kernel), time))
            }
            add("connected", theory.connected(loss: loss, byMs: cut), \.connected, \.connectedMs)
            add("answered, new connection", theory.answeredFresh(loss: loss, byMs: cut), \.connected, \.answeredMs)
            add("answered, kept connection", theory.answered(loss: loss, byMs: cut), \.kept, \.answeredMs)
        }
    }

    // MARK: Correlated loss

    /// So long that blocks hardly lean on each other.
    private static let block = 200

    private func correlatedLoss(
        _ loss: Double, _ correlation: Double, _ hasNetem: Bool, _ table: inout FidelityTable
    ) async throws {
        let expected = NetemCorrelation.longRunLoss(loss: loss, correlation: correlation)
        let lab = try await lossByLab(Impairment(loss: .init(probability: loss, correlation: correlation)))
        var (isOff, kernelText) = (lab.isOff(expected), FidelityTable.noNetem)
        if hasNetem {
            let probe = try await Probe(from: "payment-1", to: "inventory-1", KernelReference.target)
            let kernel = try await KernelReference.queueing(
                ["netem", "loss", "\(loss * 100)%", "\(correlation * 100)%"]
            ) {
                try await probe.pour(plan.correlatedPackets)
                return BlockShare(lost: plan.correlatedPackets, but: await probe.settled(), block: Self.block)
            }
            kernelText = kernel.text
            isOff = isOff || kernel.isOff(expected)
        }
        table.add(
            "loss \(Int(loss * 100)) % correlation \(Int(correlation * 100)), in the long run, %",
            expected: String(format: "%.2f", expected * 100), lab: lab.text, kernel: kernelText, differs: isOff)
    }

    private func lossByLab(_ impairment: Impairment) async throws -> BlockShare {
        let count = plan.correlatedPackets
        let probe = try await Probe(from: "notification-0", to: "inventory-0", target)
        let fault = try await applied(impairment)
        try await probe.pour(count) { await fault.counters.loss.draws >= UInt64($0) }
        let lost = Int(await fault.counters.loss.hits)
        let arrived = try await probe.arrivals(atLeast: count - lost)
        try await fault.undo()
        return BlockShare(lost: count, but: arrived, block: Self.block)
    }

    // MARK: Delay

    private func delay(correlation: Int, _ hasNetem: Bool, _ table: inout FidelityTable) async throws {
        let fault = try await applied(
            Impairment(
                delay: .init(
                    latency: .milliseconds(200), jitter: .milliseconds(50), correlation: Double(correlation) / 100)))
        let lab = try await sample(from: "notification-0", to: "inventory-0", target)
        try await fault.undo()
        var kernel: DelaySample?
        if hasNetem {
            kernel = try await KernelReference.queueing(
                ["netem", "limit", "10000", "delay", "200ms", "50ms", "\(correlation)%"]
            ) { try await sample(from: "payment-1", to: "inventory-1", KernelReference.target) }
        }
        let limit = FidelityTable.greatestDistance(plan.delayedPackets)
        let distances = ([lab] + (kernel.map { [$0] } ?? [])).map { $0.distance(fromUniform: 150...250) }
        let name = "delay 200 +- 50 ms correlation \(correlation)"
        table.add(
            "\(name), 5 / 50 / 95 % in ms; KS distance below \(String(format: "%.3f", limit))",
            expected: "155 / 200 / 245", lab: "\(lab.text); \(String(format: "%.3f", distances[0]))",
            kernel: kernel.map { "\($0.text); \(String(format: "%.3f", distances[1]))" } ?? FidelityTable.noNetem,
            differs: distances.contains { $0 > limit })
        // netem takes its draw modulo twice the jitter, so that nothing is left of the correlation at 50 ms.
        let lean = FidelityTable.quantile / Double(plan.delayedPackets).squareRoot()
        table.add(
            "\(name), of each with the one before", expected: "0.00",
            lab: String(format: "%.2f", lab.lag1),
            kernel: kernel.map { String(format: "%.2f", $0.lag1) } ?? FidelityTable.noNetem,
            differs: abs(lab.lag1) > lean || abs(kernel?.lag1 ?? 0) > lean)
    }

    private func sample(from source: String, to host: String, _ address: String) async throws -> DelaySample {
        // Until the last one, sent 2 ms after the one before, has been delayed for 250 ms.
        try await undisturbed(for: plan.delayedPackets + 125) {
            let probe = try await Probe(from: source, to: host, address)
            let arrivals = try await probe.send(plan.delayedPackets, everyMs: 2)
            return DelaySample(arrivals.sorted { $0.number < $1.number }.map(\.afterMs))
        }
    }

    // MARK: The machine

    /// A machine that stands still for longer says nothing of the lab.
    private static let greatestStallMs = 40.0
    private static let tries = 5

    /// Measures again, a few times at most, where a path that no fault touches shows that the machine stood still.
    ///
    /// - Parameter packets: how many the witness sends, one every 2 ms: for as long as the measurement takes.
    private func undisturbed<Value>(for packets: Int, _ measure: () async throws -> Value) async throws -> Value {
        for _ in 1..<Self.tries {
            let witness = try await Probe(from: "payment-0", to: "inventory-1", KernelReference.target)
            async let arrivals = witness.send(packets, everyMs: 2)
            let value = try await measure()
            if try await arrivals.allSatisfy({ $0.afterMs < Self.greatestStallMs }) { return value }
        }
        return try await measure()
    }

    // MARK: Bandwidth

    private func bandwidth(_ table: inout FidelityTable) async throws {
        let (rate, burst) = (1_000_000.0, 10_000)
        let sinks = (lab: try await ByteSink(on: "inventory-0"), kernel: try await ByteSink(on: "inventory-1"))
        let fault = try await applied(
            Impairment(bandwidth: .init(bitsPerSecond: UInt64(rate), limitBytes: 1_000_000, bufferBytes: burst)))
        let bytes = plan.transferBytes
        let queue = ["tbf", "rate", "1mbit", "burst", "\(burst)", "limit", "1000000"]
        let (lab, kernel) = try await KernelReference.queueing(queue) {
            try await undisturbed(for: bytes * 8 * 500 / Int(rate)) {
                async let lab = sinks.lab.secondsToTake(bytes, from: "notification-0", to: target)
                async let kernel = sinks.kernel.secondsToTake(bytes, from: "payment-1", to: KernelReference.target)
                return (try await lab, try await kernel)
            }
        }
        try await fault.undo()
        // Each packet carries 1448 bytes, and 66 of headers. The bucket is full at first.
        let wire = Double(bytes) + Double((bytes + 1447) / 1448 * 66)
        let expected = (wire - Double(burst)) * 8 / rate
        // Nothing is drawn here. A few packets more or less at the beginning, and how the machine wakes.
        let tolerance = 0.03 * expected + 0.1
        table.add(
            "\(bytes / 1000) kB at 1 Mbit/s, s", expected: String(format: "%.2f +- %.2f", expected, tolerance),
            lab: String(format: "%.2f", lab), kernel: String(format: "%.2f", kernel),
            differs: abs(lab - expected) > tolerance || abs(lab - kernel) > tolerance)
    }

    private func applied(_ impairment: Impairment) async throws -> PathImpairmentFault {
        let fault = try PathImpairmentFault(
            id: "fidelity", paths: PacketPaths(sources: [quietSource], targets: [target], direction: .to),
            impairment: impairment, seed: .random(in: 0...(1 << 53 - 1)), workerCommand: plan.worker)
        try await fault.apply()
        try await fault.verify()
        return fault
    }
}
