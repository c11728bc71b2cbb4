import Testing

@testable import Experiments

/// What a network fault must do to calls, and when their counts say that it does not.
@Suite struct TrafficTraceTests {
    private func trace(_ fault: String) throws -> TrafficTrace? {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: trial}
            spec: {mode: all, selector: {labelSelectors: {a: b}}, \(fault)}
            """
        let contents = ManifestLoader.load(text, file: "trial.yaml")
        guard case .network(let spec)? = contents.experiments.first?.spec else {
            Issue.record("\(contents.problems)")
            return nil
        }
        return TrafficTrace(spec)
    }

    @Test func largeDosesMustBeSeen() throws {
        #expect(try trace("action: partition") == TrafficTrace(share: 1, slowness: .milliseconds(100)))
        #expect(
            try trace("action: loss, loss: {loss: '80'}") == TrafficTrace(share: 0.8, slowness: .milliseconds(100)))
        let correlated = try #require(try trace("action: loss, loss: {loss: '80', correlation: '50'}"))
        #expect(abs(correlated.share - 0.97) < 0.005)
        #expect(
            try trace("action: delay, delay: {latency: 2s, jitter: 500ms}")
                == TrafficTrace(share: 1, slowness: .milliseconds(1500)))
        // The stronger one of two.
        #expect(
            try trace("action: netem, loss: {loss: '50'}, delay: {latency: 10ms}")
                == TrafficTrace(share: 1, slowness: .milliseconds(10)))
    }

    @Test(arguments: [
        "action: loss, loss: {loss: '20'}", "action: duplicate, duplicate: {duplicate: '90'}",
        "action: bandwidth, bandwidth: {rate: 1mbps, limit: 20971520, buffer: 10000}",
        "action: delay, delay: {latency: 10ms, jitter: 20ms}", "action: corrupt, corrupt: {corrupt: '10'}",
    ])
    func smallOnesNeedNot(fault: String) throws {
        #expect(try trace(fault) == nil)
    }

    private func outcome(_ during: (UInt64, UInt64), before: (UInt64, UInt64) = (1, 100)) -> TrafficReading.Outcome {
        reading(during, before: before).outcome
    }

    private func reading(_ during: (UInt64, UInt64), before: (UInt64, UInt64)) -> TrafficReading {
        TrafficReading(
            trace: TrafficTrace(share: 0.8, slowness: .milliseconds(100)), path: "payment-a -> inventory-service",
            before: TrafficCounts(calls: before.1, touched: before.0, seconds: 10),
            during: TrafficCounts(calls: during.1, touched: during.0, seconds: 10))
    }

    @Test func callsThatAreAsBeforeHadNoFault() {
        #expect(outcome((1, 100)) == .absent)
        let dose = Dose(.traffic(reading((1, 100), before: (1, 100))))
        #expect(!dose.effective && dose.findings.count == 1)
        #expect(dose.kind == .traffic && dose.asked == 80 && dose.delivered == 1)
        #expect(
            dose.detail
                == "payment-a -> inventory-service: 1 of 100 calls took more than 100ms or were not answered; before, "
                + "1 of 100 calls took more than 100ms or were not answered")
        let whole = Dose.combining([
            Dose(.targets(TargetReading(asked: 1, injected: ["payment-a"], troubles: []))), dose,
        ])
        #expect(whole?.effective == false && whole?.kind == .targets)
    }

    @Test func callsThatSufferHadOne() {
        #expect(outcome((80, 100)) == .seen)
        #expect(outcome((30, 100)) == .seen, "less than was asked is still no absence")
        #expect(Dose(.traffic(reading((80, 100), before: (1, 100)))).effective)
    }

    /// One honest fault in ten thousand may be called absent, and none where the calls do not tell.
    @Test(
        arguments: [
            ((0, 0), (1, 100)), ((0, 10), (0, 12)), ((0, 20), (0, 200)), ((0, 100), (0, 0)), ((45, 100), (40, 100)),
        ] as [((UInt64, UInt64), (UInt64, UInt64))])
    func whatCannotBeSaidIsNotSaid(during: (UInt64, UInt64), before: (UInt64, UInt64)) {
        let reading = reading(during, before: before)
        guard case .open(let reason) = reading.outcome else {
            Issue.record("\(reading.outcome)")
            return
        }
        let dose = Dose(.traffic(reading))
        #expect(dose.effective && dose.findings.first?.hasSuffix(reason) == true)
    }
}
