import Experiments
import Testing

@Suite struct ExpectationTests {
    private func part(_ change: (inout MeasuredPart) -> Void) -> MeasuredPart {
        var part = MeasuredPart()
        change(&part)
        return part
    }

    @Test(
        arguments: [
            ("success >= 30%, p95 <= 5s, recovery <= 15s, money right", nil),
            ("success < 30%", nil), ("success>=99.5% after,p99<=250ms", "success >= 99.5% after, p99 <= 250ms"),
            ("throughput > 20/s during", "throughput > 20/s"),
            ("max < 90s, declined <= 5%", "max < 1m30s, declined <= 5%"),
            ("money wrong", nil), ("recovery > 10s", nil), ("p50 < 1s, p50 < 1s after", nil),
            ("metastable", nil), ("success >= 30%, not  metastable", "success >= 30%, not metastable"),
        ] as [(String, String?)])
    func readsHypotheses(text: String, canonical: String?) throws {
        let hypothesis = try Hypothesis.parse(text)
        #expect(hypothesis.description == canonical ?? text)
        #expect(try Hypothesis.parse(hypothesis.description) == hypothesis)
    }

    @Test(arguments: [
        "", ",", "success", "success >= 30", "success >= 101%", "success = 30%", "p95 <= 5", "p95 <= 30%", "p42 <= 5s",
        "success >= 30%,", "success >= 30% sometimes", "success >= 30% during fault", "recovery <= 15s after",
        "recovery 15s", "money", "money lost", "throughput > 20", "throughput > fast/s",
        "success >= 30%, success >= 30%", "not", "not recovery", "metastable after", "not not metastable",
    ])
    func refusesOtherHypotheses(text: String) {
        #expect(throws: QuantityError.self) { try Hypothesis.parse(text) }
    }

    @Test func aHypothesisIsHeldAgainstWhatWasMeasured() throws {
        var evidence = Hypothesis.Evidence()
        evidence.during = part {
            $0.successPercent = 30
            $0.p95Ms = 5000.04
            $0.throughputRps = 12.34
        }
        evidence.after = part { $0.successPercent = 100 }
        evidence.recovery = .after(milliseconds: 14_999)
        evidence.moneyIsRight = true
        func outcomes(_ text: String) throws -> [Hypothesis.Finding.Outcome] {
            try Hypothesis.parse(text).evaluate(evidence).map(\.outcome)
        }
        #expect(
            try outcomes("success >= 30%, p95 <= 5s, recovery <= 15s, money right") == [.held, .failed, .held, .held])
        #expect(
            try outcomes("success > 30%, success < 100% after, success >= 100% after") == [.failed, .failed, .held])
        #expect(try outcomes("p99 <= 5s, declined <= 1%, p95 <= 1s after") == [.unknown, .unknown, .unknown])
        #expect(try outcomes("money wrong, throughput >= 12/s, recovery < 14s") == [.failed, .held, .failed])
        let measured = try Hypothesis.parse(
            "success > 1%, p95 > 1s, throughput > 1/s, recovery > 1s, money right, max > 1s"
        )
        .evaluate(evidence).map(\.measured)
        #expect(
            measured == [
                "success 30%", "p95 5000ms", "throughput 12.3/s", "recovery 14999ms", "money right", "max not measured",
            ])

        evidence.recovery = .never
        evidence.moneyIsRight = nil
        #expect(try outcomes("recovery <= 15s, recovery > 15s, money right") == [.failed, .held, .unknown])
        evidence.recovery = nil
        #expect(try outcomes("recovery <= 15s") == [.unknown])
    }

    @Test(
        arguments: [
            (true, [.held, .failed]), (false, [.failed, .held]), (nil, [.unknown, .unknown]),
        ] as [(Bool?, [Hypothesis.Finding.Outcome])])
    func aHypothesisMayBeThatItStaysBad(isMetastable: Bool?, outcomes: [Hypothesis.Finding.Outcome]) throws {
        var evidence = Hypothesis.Evidence()
        evidence.isMetastable = isMetastable
        let findings = try Hypothesis.parse("metastable, not metastable").evaluate(evidence)
        #expect(findings.map(\.outcome) == outcomes)
        #expect(findings.first?.measured.contains("metastable") == true)
    }

    @Test func readsStopConditions() throws {
        let text = "success < 10% for 10s, p99 > 8s for 5s, money wrong"
        let conditions = try StopCondition.parseList(text)
        #expect(conditions.map(\.description).joined(separator: ", ") == text)
    }

    @Test(arguments: [
        "", "success < 10%", "success < 10% for", "success < 10% for 0s", "success < 10% for ever", "money right",
        "recovery > 5s for 1s", "success < 10% after 10s", "money wrong, money wrong", "p99 > 8 for 5s",
    ])
    func refusesOtherStopConditions(text: String) {
        #expect(throws: QuantityError.self) { try StopCondition.parseList(text) }
    }

    @Test func aConditionMustHoldWithoutABreak() throws {
        var watch = StopWatch(try StopCondition.parseList("success < 10% for 3s, p99 > 8s for 2s"))
        /// The seconds from 0 on, one window each: the second after which it says stop.
        func observe(_ values: [(success: Double?, p99: Double)]) -> (second: Int, condition: StopCondition)? {
            for (second, value) in values.enumerated() {
                let part = part {
                    $0.successPercent = value.success
                    $0.p99Ms = value.p99
                }
                let window = Duration.seconds(second)..<Duration.seconds(second + 1)
                if let condition = watch.observe(window, part) { return (second, condition) }
            }
            return nil
        }
        let whole = watch
        #expect(observe([(0, 0), (0, 0), (50, 0), (0, 0), (0, 0), (nil, 0), (0, 0), (9.9, 0), (10, 0)]) == nil)
        watch = whole
        let stop = observe([(50, 0), (9, 0), (9, 0), (9, 0), (9, 0)])
        #expect(stop?.second == 3 && stop?.condition.description == "success < 10% for 3s")
        watch = whole
        let slow = observe([(50, 8000), (50, 8001), (50, 9000)])
        #expect(slow?.second == 2 && slow?.condition.description == "p99 > 8s for 2s")
    }

    @Test func moneyStopsAtOnce() throws {
        var watch = StopWatch([.moneyIsWrong])
        #expect(watch.observe(.zero ..< .seconds(1), MeasuredPart(), moneyIsRight: nil) == nil)
        #expect(watch.observe(.seconds(1) ..< .seconds(2), MeasuredPart(), moneyIsRight: true) == nil)
        #expect(watch.observe(.seconds(2) ..< .seconds(3), MeasuredPart(), moneyIsRight: false) == .moneyIsWrong)
        var blind = StopWatch([])
        #expect(blind.observe(.zero ..< .seconds(1), MeasuredPart(), moneyIsRight: false) == nil)
    }

    private func load(_ annotation: String) -> ManifestLoader.Contents {
        ManifestLoader.load(
            """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: PodChaos
            metadata:
              name: x
              annotations:
                other.io/note: anything
                \(annotation)
            spec: {action: pod-kill, mode: one, selector: {}}
            """, file: "x.yaml")
    }

    @Test func annotationsBecomeValues() throws {
        let read = load(
            "payment-chaos.io/hypothesis: success>=30%, money right\n    payment-chaos.io/stop-when: p99 > 8s for 5s")
        let experiment = try #require(read.experiments.first)
        #expect(experiment.hypothesis?.clauses.count == 2)
        let document = ExperimentDocument(experiment, refusal: nil)
        #expect(document.hypothesis == "success >= 30%, money right")
        #expect(document.stopConditions == ["p99 > 8s for 5s"])
        #expect(load("a.io/b: c").experiments.first?.hypothesis == nil)
    }

    @Test(arguments: [
        ("payment-chaos.io/hypothesis: succes >= 30%", "hypothesis"),
        ("payment-chaos.io/hypothesis: \"\"", "hypothesis"),
        ("payment-chaos.io/stop-when: success < 10%", "stop-when"),
        ("payment-chaos.io/hypotesis: money right", "hypotesis"),
    ])
    func malformedOnesAreRefusedWithTheirPlace(annotation: String, field: String) {
        let problems = load(annotation).problems
        #expect(problems.map(\.field) == ["metadata.annotations.payment-chaos.io/\(field)"])
        #expect(problems.map(\.line) == [7])
    }
}
