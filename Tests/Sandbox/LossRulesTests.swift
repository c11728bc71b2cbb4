import Testing

@testable import Sandbox

@Suite struct LossRulesTests {
    @Test func theRulesAreOneTransactionInATableOfTheirOwn() throws {
        let fault = try PacketLossFault(
            id: "Run-7", sources: ["10.77.1.2", "10.77.1.1"], targets: ["10.77.2.1"], direction: .both,
            lossBasisPoints: 8000)
        #expect(
            fault.script == """
                table ip chaos_run_7
                delete table ip chaos_run_7
                table ip chaos_run_7 {
                  counter seen { }
                  counter dropped { }
                  chain lossy {
                    counter name seen
                    numgen random mod 10000 < 8000 counter name dropped drop
                  }
                  chain paths {
                    type filter hook forward priority 0; policy accept;
                    iifname "impair-out-*" return
                    ip saddr { 10.77.1.1, 10.77.1.2 } ip daddr 10.77.2.1 goto lossy
                    ip saddr 10.77.2.1 ip daddr { 10.77.1.1, 10.77.1.2 } goto lossy
                  }
                }

                """)
        #expect(fault.summary == "drop 80 % of the packets 10.77.1.1,10.77.1.2 <-> 10.77.2.1")
    }

    @Test func allIsAPlainDropAndNoneIsNoRule() throws {
        #expect(try fault(10_000).script.contains("    counter name dropped drop\n"))
        #expect(try !fault(10_000).script.contains("numgen"))
        #expect(try !fault(0).script.contains("drop\n"))
    }

    @Test func anywhereNamesOnlyTheSources() throws {
        #expect(try fault(1, .to).packets.paths.map(\.text) == ["ip saddr 10.77.1.1"])
        #expect(try fault(1, .from).packets.paths.map(\.text) == ["ip daddr 10.77.1.1"])
        #expect(try fault(1, .both).packets.paths.map(\.text) == ["ip saddr 10.77.1.1", "ip daddr 10.77.1.1"])
    }

    @Test(arguments: [(8000, "80"), (50, "0.5"), (5, "0.05"), (1234, "12.34"), (10_000, "100"), (0, "0")])
    func theSummaryTellsPercent(basisPoints: Int, text: String) throws {
        #expect(try fault(basisPoints).summary == "drop \(text) % of the packets 10.77.1.1 -> anywhere")
    }

    @Test(arguments: [
        ("10.77.1.256", 1), ("10.77.1", 1), ("10.77.1.1 drop", 1), ("::1", 1), ("", 1), ("10.77.1.+1", 1),
        ("10.77.1.1", -1), ("10.77.1.1", 10_001),
    ])
    func nonsenseIsRefused(address: String, basisPoints: Int) {
        #expect(throws: InvalidFault.self) {
            try PacketLossFault(
                id: "x", sources: [address], targets: nil, direction: .to, lossBasisPoints: basisPoints)
        }
        #expect(throws: InvalidFault.self) {
            try PacketLossFault(
                id: "x", sources: ["10.77.1.1"], targets: [], direction: .to, lossBasisPoints: 1)
        }
    }

    @Test func anIdBecomesAName() {
        #expect(
            PacketPaths.tableName("chaos_", id: "2026-11-22T01:07Z; flush ruleset")
                == "chaos_2026_11_22t01_07z__flush_ruleset")
        #expect(PacketPaths.tableName("chaos_", id: String(repeating: "é", count: 100)).count == 70)
    }

    private func fault(_ basisPoints: Int, _ direction: PacketLossFault.Direction = .to) throws -> PacketLossFault {
        try PacketLossFault(
            id: "x", sources: ["10.77.1.1"], targets: nil, direction: direction, lossBasisPoints: basisPoints)
    }
}
