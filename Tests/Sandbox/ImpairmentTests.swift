import Experiments
import Foundation
import Logging
import SystemPackage
import Testing

@testable import Sandbox

@Suite struct ImpairmentTests {
    // MARK: Values

    @Test func whatTheWorkerIsToldIsWhatWasAsked() throws {
        let whole = Impairment(
            delay: .init(
                latency: .milliseconds(200), jitter: .milliseconds(50), correlation: 0.25,
                reorder: .init(share: .init(probability: 0.5, correlation: 0.5), gap: 5)),
            loss: .init(probability: 0.8, correlation: 0.5), duplicate: .init(probability: 0.1),
            corrupt: .init(probability: 0.01), rateBitsPerSecond: 1_000_000,
            bandwidth: .init(bitsPerSecond: 1_000_000, limitBytes: 20_000, bufferBytes: 10_000))
        try whole.validate()
        let list = try PathWorkerArguments(
            number: 7, lanes: 3, impairment: whole, seed: .max, lifetime: .seconds(60)
        ).list
        #expect(
            list.dropLast() == [
                "--number", "7", "--lanes", "3", "--seed", "18446744073709551615", "--duration-seconds", "60",
                "--impairment",
            ])
        #expect(try JSONDecoder().decode(Impairment.self, from: Data(list[9].utf8)) == whole)
        #expect(
            whole.text == "delay by 200 ms +- 50 ms, reorder 50 % (correlation 50 %), drop 80 % (correlation 50 %), "
                + "repeat 10 %, damage 1 %, limit to 1000000 bit/s: the packets")
    }

    @Test(arguments: [
        Impairment(), Impairment(loss: .init(probability: 0)), Impairment(loss: .init(probability: 1.1)),
        Impairment(corrupt: .init(probability: 0.5, correlation: -0.1)), Impairment(rateBitsPerSecond: 7),
        Impairment(delay: .init(latency: .zero)), Impairment(delay: .init(latency: .seconds(1), jitter: .seconds(-1))),
        Impairment(bandwidth: .init(bitsPerSecond: 1000, limitBytes: 0, bufferBytes: 1)),
        Impairment(bandwidth: .init(bitsPerSecond: 1000, limitBytes: 1, bufferBytes: 1, peakBitsPerSecond: 2000)),
        Impairment(
            bandwidth: .init(
                bitsPerSecond: 1000, limitBytes: 1, bufferBytes: 1, peakBitsPerSecond: 1000, minburstBytes: 1)),
    ])
    func nonsenseIsRefused(impairment: Impairment) {
        #expect(throws: InvalidFault.self) { try impairment.validate() }
    }

    @Test(
        arguments: [
            ("action: partition", nil), ("action: loss\n  loss: {loss: \"80\"}", nil),
            (
                "action: loss\n  loss: {loss: \"80\", correlation: \"50\"}",
                Impairment(loss: .init(probability: 0.8, correlation: 0.5))
            ),
            (
                "action: delay\n  delay: {latency: 90ms, jitter: 10ms, correlation: \"25\", reorder: "
                    + "{reorder: \"50\", correlation: \"20\", gap: 0}}",
                Impairment(
                    delay: .init(
                        latency: .milliseconds(90), jitter: .milliseconds(10), correlation: 0.25,
                        reorder: .init(share: .init(probability: 0.5, correlation: 0.2), gap: 1)))
            ),
            (
                "action: netem\n  loss: {loss: \"5\"}\n  duplicate: {duplicate: \"4\"}\n  corrupt: {corrupt: \"3\"}\n"
                    + "  rate: {rate: 1mbps}",
                Impairment(
                    loss: .init(probability: 0.05), duplicate: .init(probability: 0.04),
                    corrupt: .init(probability: 0.03), rateBitsPerSecond: 8_000_000)
            ),
            (
                "action: bandwidth\n  bandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, peakrate: 250000}",
                Impairment(bandwidth: .init(bitsPerSecond: 1_000_000, limitBytes: 20_000, bufferBytes: 10_000))
            ),
            (
                "action: bandwidth\n  bandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, peakrate: 250000, "
                    + "minburst: 1600}",
                Impairment(
                    bandwidth: .init(
                        bitsPerSecond: 1_000_000, limitBytes: 20_000, bufferBytes: 10_000, peakBitsPerSecond: 2_000_000,
                        minburstBytes: 1600))
            ),
        ] as [(String, Impairment?)])
    func aManifestSaysWhatIsDone(spec: String, expected: Impairment?) throws {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: x}
            spec:
              mode: all
              selector: {}
              \(spec)
            """
        let loaded = ManifestLoader.load(text, file: "x.yaml")
        #expect(loaded.problems == [])
        guard case .network(let network)? = loaded.experiments.first?.spec else { throw InvalidFault(detail: "none") }
        #expect(network.impairment == expected)
    }

    @Test func whatTheKernelWouldRefuseIsRefusedWithItsPlace() throws {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: x}
            spec:
              mode: all
              selector: {}
              action: bandwidth
              bandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, peakrate: 100, minburst: 1600}
            """
        let experiment = try #require(ManifestLoader.load(text, file: "x.yaml").experiments.first)
        let engine = LocalEngine(
            topology: LabTopology(), hasNetwork: true, placements: [:], workerCommand: [], pathWorkerCommand: [],
            dataFolder: "",
            supervisor: Supervisor(commands: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let refusal = try #require(engine.refusal(of: experiment))
        #expect(refusal.field == "spec.bandwidth" && refusal.line == 8, "\(refusal)")
        #expect(refusal.reason.contains("peakrate"))
    }

    // MARK: Paths and names

    @Test func eachSenderHasALaneOfItsOwn() throws {
        func lanes(_ sources: [String], _ targets: [String]?, _ direction: PacketPaths.Direction) throws -> [String] {
            try PacketPaths(sources: sources, targets: targets, direction: direction).pathsBySender.flatMap {
                $0.map(\.text)
            }
        }
        let (payments, inventory) = (["10.77.1.2", "10.77.1.1"], ["10.77.2.1"])
        #expect(
            try lanes(payments, inventory, .to) == [
                "ip saddr 10.77.1.1 ip daddr 10.77.2.1", "ip saddr 10.77.1.2 ip daddr 10.77.2.1",
            ])
        #expect(try lanes(payments, inventory, .from) == ["ip saddr 10.77.2.1 ip daddr { 10.77.1.1, 10.77.1.2 }"])
        #expect(
            try lanes(payments, nil, .both) == [
                "ip saddr 10.77.1.1", "ip saddr 10.77.1.2", "ip daddr { 10.77.1.1, 10.77.1.2 }",
            ])
        #expect(
            try lanes(inventory, payments + inventory, .both) == [
                "ip saddr 10.77.1.1 ip daddr 10.77.2.1", "ip saddr 10.77.1.2 ip daddr 10.77.2.1",
                "ip saddr 10.77.2.1 ip daddr { 10.77.1.1, 10.77.1.2, 10.77.2.1 }",
            ])
    }

    @Test func theRulesAreOneTransactionInATableOfTheirOwn() throws {
        let fault = try PathImpairmentFault(
            id: "Run-7", paths: PacketPaths(sources: ["10.77.1.1"], targets: ["10.77.2.1"], direction: .both),
            impairment: Impairment(loss: .init(probability: 0.5, correlation: 0.5)), seed: 1, workerCommand: ["/bin/x"])
        let number = fault.number
        #expect(
            fault.script == """
                table ip chaos_path_run_7
                delete table ip chaos_path_run_7
                table ip chaos_path_run_7 {
                  chain untracked {
                    type filter hook prerouting priority raw; policy accept;
                    iifname "impair-out-\(number)" notrack
                  }
                  chain paths {
                    type filter hook prerouting priority dstnat + 10; policy accept;
                    iifname "impair-out-*" return
                    meta mark != 0 return
                    ip saddr 10.77.1.1 ip daddr 10.77.2.1 meta mark set \(PathDevices.mark(number, lane: 0)) return
                    ip saddr 10.77.2.1 ip daddr 10.77.1.1 meta mark set \(PathDevices.mark(number, lane: 1)) return
                  }
                }

                """)
        #expect(
            fault.summary == "drop 50 % (correlation 50 %): the packets 10.77.1.1 <-> 10.77.2.1")
    }

    @Test func noTwoLanesShareANameAMarkOrATable() {
        let lanes = PathDevices.numbers.flatMap { number in
            (0..<PathDevices.maximumLanes).map { (number, $0) }
        }
        for unique in [
            Set(lanes.map { PathDevices.input($0.0, lane: $0.1) }),
            Set(lanes.map { String(PathDevices.mark($0.0, lane: $0.1)) }),
            Set(lanes.map { String(PathDevices.table($0.0, lane: $0.1)) }),
        ] { #expect(unique.count == lanes.count) }
        #expect(lanes.allSatisfy { PathDevices.input($0.0, lane: $0.1).count <= 15 })
        #expect(PathDevices.numbers.allSatisfy { PathDevices.output($0).count <= 15 })
        #expect(Set((0..<500).map(PathDevices.number)) == Set(PathDevices.numbers))
    }

    @Test func theToolsOwnWordsAreRead() {
        let (mark, table) = (PathDevices.mark(3, lane: 2), PathDevices.table(3, lane: 2))
        let rules = """
            0:	from all lookup local
            1000:	from all fwmark 0x\(String(mark, radix: 16)) lookup \(table)
            1000:	from all fwmark 0x\(String(PathDevices.mark(4, lane: 0), radix: 16)) lookup \(table)
            1000:	from all fwmark 0x1 lookup 7
            32766:	from all lookup main
            """
        #expect(PathImpairmentFault.lanes(ofRules: rules, number: 3) == [2])
        let devices = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls
            impair-in-3.0:       0       0    0    0    0     0          0         0     6140     111    0    5    0
            impair-in-3.1:0 0 0 9 0 0 0 0 1 2 0 7 0 0 0 0
            impair-in-33.0: 0 0 0 0 0 0 0 0 1 2 0 100 0 0 0 0
            """
        #expect(PathDevices.droppedBeforeWorker(3, table: devices) == 12)
        #expect(PathDevices.droppedBeforeWorker(3, table: nil) == 0)
    }

    // MARK: The ledger

    @Test func theLedgerIsSeenFromBothSides() throws {
        let fault = try PathLedger(in: FileManager.default.temporaryDirectory.path)
        let worker = try PathLedger(inherited: fault.descriptor)
        #expect(fault.state == .starting && fault.counters == PathCounters())
        var counters = PathCounters()
        for number in 1...1000 {
            counters.seen = UInt64(number)
            counters.latestNs = UInt64(number)
            worker.publish(counters)
        }
        worker.setReady()
        #expect(fault.state == .ready && fault.counters == counters)
        worker.setFailed(.permissionDenied)
        #expect(fault.state == .failed && fault.error == .permissionDenied)
        #expect(throws: (any Error).self) { try PathLedger(inherited: -1) }
    }

    @Test func theCountersFitThePage() { #expect(MemoryLayout<PathCounters>.size <= 4096 - 64) }

    @Test func slotsAreReusedAndCopied() {
        let pool = PacketPool(capacity: 2)
        let first = pool.take() ?? -1
        pool.room(first).copyBytes(from: [1, 2, 3])
        pool.setLength(first, 3)
        let copy = pool.copy(first) ?? -1
        #expect(copy != first && pool.take() == nil && pool.copy(first) == nil)
        pool.flip(copy, byte: 1, bit: 7)
        #expect(Array(pool.packet(first)) == [1, 2, 3] && Array(pool.packet(copy)) == [1, 130, 3])
        pool.release(first)
        #expect(pool.take() == first)
    }
}
