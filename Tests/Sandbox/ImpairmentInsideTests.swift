import Experiments
import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// Real packets through the real worker; started by ``NetworkNamespaceTests``.
///
/// Datagrams that are numbered, so that it is seen which arrived, how often, in what order and after what time.
@Suite(
    .enabled(if: Again.role == "ImpairmentInsideTests", "runs inside namespaces, by NetworkNamespaceTests"),
    .serialized)
struct ImpairmentInsideTests {
    private let payment = "10.77.1.1"
    private let inventory = "10.77.2.1"

    init() async throws { try await InsideLab.start() }

    // MARK: What it does to packets

    @Test func everyPacketIsHeldBackForItsDelay() async throws {
        let delay = Impairment.Delay(latency: .milliseconds(60), jitter: .milliseconds(20))
        try await biting(Impairment(delay: delay)) { probe, fault in
            let arrivals = try await probe.send(300, everyMs: 1)
            #expect(arrivals.count == 300)
            #expect(arrivals.allSatisfy { $0.afterMs >= 40 })
            // 300 draws from 40 to 80 all lie within 59 and 61 with a chance of 1 in 10^60.
            #expect(arrivals.map(\.afterMs).max() ?? 0 >= 61)
            let doses = try await doses(fault)
            #expect(doses.map(\.kind) == [.packetDelay])
            // The delay drawn; the machine may be late without end.
            guard case .delay(let reading)? = try await fault.readings().first else { return }
            #expect(reading.passed == 300 && reading.packets == 300)
            #expect(abs(reading.drawnMeanMs - 60) < 3.9 * 20 / 3.0.squareRoot() / 300.0.squareRoot())
            #expect(reading.measuredMeanMs >= reading.drawnMeanMs)
            #expect(abs(reading.expectedDeviationMs - 20 / 3.0.squareRoot()) < 0.2)
        }
    }

    @Test func packetsAreRepeated() async throws {
        try await biting(Impairment(duplicate: .init(probability: 0.5))) { probe, fault in
            let dose = try await seen(fault, 1000) { try await probe.pour(1000, allArrive: true) }
            let arrivals = try await probe.arrivals(atLeast: 1000 + Int(dose.hits))
            #expect(arrivals.count == 1000 + Int(dose.hits))
            #expect(Set(arrivals.map(\.number)).count == 1000)
            // 3.9 x sqrt(1000 x 0.5 x 0.5) = 62.
            #expect(abs(Int(dose.hits) - 500) <= 62)
        }
    }

    @Test func damagedPacketsAreRefusedByTheirReceiver() async throws {
        try await biting(Impairment(corrupt: .init(probability: 0.3))) { probe, fault in
            let dose = try await seen(fault, 1000) {
                try await probe.pour(1000) { await fault.counters.seen >= UInt64($0) }
            }
            // 3.9 x sqrt(1000 x 0.3 x 0.7) = 57.
            #expect(abs(Int(dose.hits) - 300) <= 57)
            let arrivals = try await probe.arrivals(atLeast: 1000 - Int(dose.hits))
            // One bit makes the checksum of the header or of the datagram wrong, wherever it is.
            #expect(arrivals.count == 1000 - Int(dose.hits))
        }
    }

    @Test func packetsOvertake() async throws {
        let reorder = Impairment.Reorder(share: .init(probability: 0.5), gap: 5)
        let delay = Impairment.Delay(latency: .milliseconds(100), reorder: reorder)
        try await biting(Impairment(delay: delay)) { probe, fault in
            let arrivals = try await probe.send(200, everyMs: 1)
            #expect(arrivals.count == 200)
            let numbers = arrivals.map(\.number)
            #expect(numbers != numbers.sorted())
            let readings = try await fault.readings()
            guard case .share(let reading)? = readings.last, readings.count == 2 else { throw Unexpected() }
            #expect(reading.kind == .packetReordering)
            // At the least each fifth may overtake once four were held back.
            #expect(reading.draws > 30 && reading.hits > 0 && reading.hits < reading.draws)
            #expect(arrivals.count { $0.afterMs >= 100 } >= 200 - Int(reading.hits))
        }
    }

    @Test(arguments: [
        Impairment(rateBitsPerSecond: 800_000),
        Impairment(bandwidth: .init(bitsPerSecond: 800_000, limitBytes: 1_000_000, bufferBytes: 5_000)),
    ])
    func bytesTakeTheirTime(impairment: Impairment) async throws {
        try await biting(impairment) { probe, fault in
            // 100 packets of 1042 bytes with their headers: 104,200 bytes at 100,000 a second, less the first burst.
            let arrivals = try await probe.send(100, everyMs: 0, bytes: 1000)
            #expect(arrivals.count == 100)
            let first = try #require(arrivals.map(\.sentNs).min())
            #expect(try #require(arrivals.map(\.cameNs).max()) - first >= 950_000_000)
            #expect(arrivals.map(\.number) == Array(0..<100))
            guard case .rate(let reading)? = try await fault.readings().first else { throw Unexpected() }
            #expect(reading.bytes == 104_200)
            let dose = try await doses(fault)
            #expect(dose.map(\.kind) == [.bandwidth])
            #expect(dose[0].effective, "\(dose[0].text)")
        }
    }

    @Test func correlatedLossIsMoreThanItsName() async throws {
        let loss = Impairment.Share(probability: 0.8, correlation: 0.5)
        try await biting(Impairment(loss: loss)) { probe, fault in
            let dose = try await seen(fault, 3000) {
                try await probe.pour(3000) { await fault.counters.seen >= UInt64($0) }
            }
            let arrivals = try await probe.arrivals(atLeast: 3000 - Int(dose.hits))
            #expect(arrivals.count == 3000 - Int(dose.hits))
            #expect(Double(dose.hits) / 3000 > 0.94, "80 % with correlation 50 is 97 %: \(dose.hits)")
            let told = try await doses(fault)
            #expect(told[0].effective && abs(told[0].asked - 97) < 0.2, "\(told[0].text)")
        }
    }

    @Test func aCombinationDoesAllOfIt() async throws {
        let impairment = Impairment(
            delay: .init(latency: .milliseconds(30)), loss: .init(probability: 0.2),
            duplicate: .init(probability: 0.2), corrupt: .init(probability: 0.1))
        try await biting(impairment) { probe, fault in
            let dose = try await seen(fault, 500, kind: .packetDuplication) {
                try await probe.pour(500) { await fault.counters.seen >= UInt64($0) }
            }
            try await eventually("all that was not dropped has gone on") {
                let counters = await fault.counters
                return counters.seen + dose.hits == counters.delivered + counters.loss.hits + counters.unsent
            }
            let told = try await doses(fault)
            #expect(told.map(\.kind) == [.packetDelay, .packetLoss, .packetDuplication, .packetCorruption])
            for dose in told.dropFirst() { #expect(dose.effective, "\(dose.text)") }
            let counters = await fault.counters
            #expect(counters.seen == 500 && counters.overLimit == 0)
            // The copies are judged too, but for those of packets that were lost at once.
            #expect(counters.loss.draws > 500 && counters.loss.draws <= 500 + counters.duplicate.hits)
            let arrivals = try await probe.arrivals(atLeast: 1)
            #expect(arrivals.allSatisfy { $0.afterMs >= 30 })
        }
    }

    // MARK: Whom it touches

    @Test(arguments: PacketPaths.Direction.allCases)
    func connectionsToAVirtualAddressAreDelayedAndWhole(direction: PacketPaths.Direction) async throws {
        try await TalkingServer.start()
        // From a host that no other test here uses: connections end long after they were closed.
        let fault = try PathImpairmentFault(
            id: "tcp",
            paths: PacketPaths(sources: ["10.77.1.2"], targets: ["10.77.2.1", "10.77.2.2"], direction: direction),
            impairment: Impairment(delay: .init(latency: .milliseconds(50))), seed: 3, workerCommand: Self.worker)
        try await fault.apply()
        try await fault.verify()
        for _ in 0..<4 {
            let (connectMs, totalMs, bytes) = try await on("payment-1") { try TalkingServer.ask("10.77.100.2") }
            // There and back once for the connection, and once for the answer.
            #expect(connectMs >= (direction == .both ? 100 : 50))
            #expect(totalMs >= (direction == .both ? 200 : 100))
            #expect(bytes == TalkingServer.answerBytes)
        }
        try await fault.undo()
        let after = try await on("payment-1") { try TalkingServer.ask("10.77.100.2") }
        #expect(after.bytes == TalkingServer.answerBytes)
    }

    /// A service by its virtual address, and a host, from one sender: one queue for both.
    @Test func externalTargetsAreDelayedAndNothingElse() async throws {
        try await TalkingServer.start()
        let ends = try [PacketEnd(["10.77.100.2"], isVirtual: true), PacketEnd(["10.77.3.1"])]
        let fault = try PathImpairmentFault(
            id: "external", paths: PacketPaths(sources: ["10.77.1.2"], ends: ends, direction: .to),
            impairment: Impairment(delay: .init(latency: .milliseconds(50))), seed: 3, workerCommand: Self.worker)
        try await fault.apply()
        try await fault.verify()
        let asked = try await on("payment-1") { try TalkingServer.ask("10.77.100.2") }
        #expect(asked.connectMs >= 50 && asked.totalMs >= 100 && asked.bytes == TalkingServer.answerBytes)
        // The connection's end is delayed too.
        try await eventually("nothing is under way") { await fault.counters.delivered == fault.counters.seen }
        let seen = await fault.counters.seen
        _ = try await on("payment-0") { try TalkingServer.ask("10.77.100.2") }
        let probe = try await Probe(from: "payment-1", to: "inventory-0", inventory)
        #expect(try await probe.send(10, everyMs: 0).count == 10)
        #expect(await fault.counters.seen == seen)
        let slow = try await Probe(from: "payment-1", to: "notification-0", "10.77.3.1")
        #expect(try await slow.send(10, everyMs: 0).allSatisfy { $0.afterMs >= 50 })
        #expect(try await doses(fault).map(\.effective) == [true])
        try await fault.undo()
        try await fault.undo()
    }

    @Test func twoFaultsOnDifferentPathsAreIndependent() async throws {
        let first = try fault(Impairment(delay: .init(latency: .milliseconds(40))), .to, [inventory], id: "a")
        let second = try PathImpairmentFault(
            id: "b", paths: PacketPaths(sources: [payment], targets: ["10.77.3.1"], direction: .to),
            impairment: Impairment(loss: .init(probability: 1)), seed: 2, workerCommand: Self.worker)
        try await first.apply()
        try await second.apply()
        try await first.verify()
        try await second.verify()
        let slow = try await Probe(from: "payment-0", to: "inventory-0", inventory)
        #expect(try await slow.send(20, everyMs: 0).allSatisfy { $0.afterMs >= 40 })
        let dead = try await Probe(from: "payment-0", to: "notification-0", "10.77.3.1")
        try await dead.pour(50)
        try await eventually("all are lost") { await second.counters.loss.hits == 50 }
        #expect(await first.counters.seen == 20, "each sees its own path's packets and no others")
        #expect(await second.counters.seen == 50)
        try await first.undo()
        try await second.verify()
        try await second.undo()
        #expect(try await dead.send(20, everyMs: 0).count == 20)
    }

    @Test func aLossOnTheSamePathCountsEachPacketOnce() async throws {
        let delay = try fault(Impairment(delay: .init(latency: .milliseconds(10))), .to, [inventory], id: "delay")
        let loss = try PacketLossFault(
            id: "loss", sources: [payment], targets: [inventory], direction: .to, lossBasisPoints: 0)
        try await delay.apply()
        try await loss.apply()
        let probe = try await Probe(from: "payment-0", to: "inventory-0", inventory)
        #expect(try await probe.send(100, everyMs: 0).count == 100)
        #expect(try await loss.reading() == .packets(asked: 0, seen: 100, dropped: 0))
        try await loss.undo()
        try await delay.undo()
    }

    // MARK: What others do to it

    @Test(arguments: ["worker", "nft", "rule", "route", "changed"])
    func whatIsTakenAwayByOthersIsNoticed(what: String) async throws {
        let fault = try fault(Impairment(delay: .init(latency: .milliseconds(20))), .both, [inventory])
        try await fault.apply()
        _ = try await fault.readings()
        let (number, table) = (fault.number, fault.table)
        switch what {
        case "worker": kill(try #require(await fault.workerProcess), SIGKILL)
        case "nft": try await CommandLineTool.run("nft", ["delete", "table", "ip", table])
        case "rule":
            let mark = String(PathDevices.mark(number, lane: 1))
            try await CommandLineTool.run("ip", ["rule", "del", "fwmark", mark])
        case "route":
            try await CommandLineTool.run("ip", ["route", "flush", "table", "\(PathDevices.table(number, lane: 0))"])
        default:
            try await CommandLineTool.run("nft", ["insert", "rule", "ip", table, "paths", "return"])
        }
        try await eventually("it is noticed") {
            do {
                _ = try await fault.readings()
                return false
            } catch is FaultVanished {
                return what != "changed"
            } catch is FaultMismatch {
                return what == "changed"
            }
        }
        // A dying worker's devices go one after the other.
        if what == "worker" {
            let device = PathDevices.prefix + "in-"
            try await eventually("no device is left") { try await !routerState().contains { $0.contains(device) } }
        }
        // Nothing is blackholed meanwhile.
        let probe = try await Probe(from: "payment-0", to: "inventory-0", inventory)
        #expect(try await probe.send(10, everyMs: 0).count == 10)
        try await fault.undo()
        try await fault.undo()
    }

    @Test func aWorkerThatCannotWorkFailsTheFaultAndLeavesNothing() async throws {
        let before = try await calmState()
        let paths = try PacketPaths(sources: [payment], targets: nil, direction: .to)
        for command in [["/bin/sh", "-c", "exit 9", "worker"], Self.worker + ["--unknown"]] {
            let fault = try PathImpairmentFault(
                id: "broken", paths: paths, impairment: Impairment(loss: .init(probability: 0.5)), seed: 1,
                workerCommand: command)
            await #expect(throws: PathWorkerFailed.self) { try await fault.apply() }
            await #expect(throws: FaultVanished.self) { try await fault.verify() }
        }
        #expect(try await routerState() == before)
    }

    // MARK: Help

    private struct Unexpected: Error {}

    private static let worker = [
        URL(filePath: NamespaceLauncher.ownExecutable).deletingLastPathComponent().appending(path: "scenario-runner")
            .path(), "path-worker",
    ]

    private func fault(
        _ impairment: Impairment, _ direction: PacketPaths.Direction, _ targets: [String], id: String = "run-1"
    ) throws -> PathImpairmentFault {
        try PathImpairmentFault(
            id: id, paths: PacketPaths(sources: [payment], targets: targets, direction: direction),
            impairment: impairment, seed: 7, workerCommand: Self.worker)
    }

    /// Applies it to what payment-0 sends to inventory-0, and demands that all is as before when it is undone, twice.
    private func biting(
        _ impairment: Impairment, _ body: (Probe, PathImpairmentFault) async throws -> Void
    ) async throws {
        let before = try await calmState()
        let probe = try await Probe(from: "payment-0", to: "inventory-0", inventory)
        let fault = try fault(impairment, .to, [inventory])
        try await fault.apply()
        try await fault.verify()
        #expect(try await routerState() != before)
        let worker = try #require(await fault.workerProcess)
        try await body(probe, fault)
        try await fault.undo()
        try await fault.undo()
        #expect(try await routerState() == before)
        #expect(!isAlive(worker))
        let after = try await Probe(from: "payment-0", to: "inventory-0", inventory)
        #expect(try await after.send(200, everyMs: 0).map(\.number) == Array(0..<200))
        await #expect(throws: FaultVanished.self) { _ = try await fault.readings() }
    }

    /// The reading once the dice were thrown for that many packets, copies aside.
    private func seen(
        _ fault: PathImpairmentFault, _ packets: UInt64, kind: Dose.Kind? = nil, _ send: () async throws -> Void
    ) async throws -> ShareReading {
        try await send()
        try await eventually("\(packets) packets came to the worker") { await fault.counters.seen == packets }
        for case .share(let reading) in try await fault.readings() where kind == nil || reading.kind == kind {
            return reading
        }
        throw Unexpected()
    }

    private func doses(_ fault: PathImpairmentFault) async throws -> [Dose] {
        try await fault.readings().map(Dose.init)
    }

    /// Rules, tables, routes and interfaces of the router; its IPv6 addresses come by themselves.
    /// By lines, so that a failure names those that differ.
    /// What the router has once the kernel is done with the lab's own devices: that a carrier is there it tells late.
    private func calmState() async throws -> [Substring] {
        var last: [Substring] = []
        try await eventually("the router is calm") {
            let now = try await routerState()
            defer { last = now }
            let isUnderWay = now.contains { line in
                ["linkdown", "LOWERLAYERDOWN", "NO-CARRIER"].contains { line.contains($0) }
            }
            return !isUnderWay && now == last
        }
        return last
    }

    private func routerState() async throws -> [Substring] {
        let rules = try await CommandLineTool.run("nft", ["list", "ruleset"])
        let kernel = try await CommandLineTool.run(
            "ip", ["-4", "-batch", "-"], input: "rule show\nroute show table all\nlink show\n")
        return (rules + kernel).split(separator: "\n")
    }
}
