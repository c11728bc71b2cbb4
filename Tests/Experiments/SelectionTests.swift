import Experiments
import Testing

@Suite struct SelectionTests {
    private let payment = ReplicaFacts(
        name: "payment-0", namespace: "payment-chaos", labels: ["app": "payment-service", "tier": "payment"],
        phase: "Running")

    private func selector(_ change: (inout Selector) -> Void) -> Selector {
        var selector = Selector()
        change(&selector)
        return selector
    }

    @Test func everyPartMustMatch() {
        let both = selector {
            $0.namespaces = ["payment-chaos"]
            $0.labels = ["app": "payment-service"]
        }
        #expect(both.matches(payment))
        #expect(!selector { $0.namespaces = ["default"] }.matches(payment))
        #expect(!selector { $0.labels = ["app": "payment-service", "tier": "inventory"] }.matches(payment))
        #expect(!selector { $0.labels = ["absent": ""] }.matches(payment))
        #expect(Selector().matches(payment))
    }

    @Test(arguments: [
        (LabelExpression(key: "app", operator: .isIn, values: ["a", "payment-service"]), true),
        (LabelExpression(key: "app", operator: .isIn, values: ["a"]), false),
        (LabelExpression(key: "none", operator: .isIn, values: ["a"]), false),
        (LabelExpression(key: "app", operator: .notIn, values: ["a"]), true),
        (LabelExpression(key: "app", operator: .notIn, values: ["payment-service"]), false),
        (LabelExpression(key: "none", operator: .notIn, values: ["a"]), true),
        (LabelExpression(key: "app", operator: .exists), true),
        (LabelExpression(key: "none", operator: .exists), false),
        (LabelExpression(key: "app", operator: .doesNotExist), false),
        (LabelExpression(key: "none", operator: .doesNotExist), true),
    ])
    func expressionsAreKubernetesOwn(expression: LabelExpression, matches: Bool) {
        #expect(selector { $0.expressions = [expression] }.matches(payment) == matches)
    }

    @Test(arguments: [
        (["Running"], true), (["Pending"], false), (["Pending", "Running"], true), (["!Running"], false),
        (["!Failed"], true), (["Running", "!Running"], false),
    ])
    func phasesIncludeAndExclude(phases: [String], matches: Bool) {
        #expect(selector { $0.phases = phases }.matches(payment) == matches)
    }

    @Test func namedPodsAreTakenWhateverElseIsAsked() {
        #expect(
            selector {
                $0.pods = ["payment-chaos": ["payment-0"]]
                $0.labels = ["app": "other"]
            }.matches(payment))
        #expect(!selector { $0.pods = ["payment-chaos": ["payment-1"]] }.matches(payment))
        #expect(!selector { $0.pods = ["default": ["payment-0"]] }.matches(payment))
    }

    @Test func whatCannotBeSeenMatchesNothing() {
        #expect(!selector { $0.nodes = ["node-1"] }.matches(payment))
        #expect(!selector { $0.annotations = ["a": "b"] }.matches(payment))
    }

    @Test(arguments: [
        (SelectionMode.one, 7, 1...1), (.all, 7, 7...7), (.fixed(3), 7, 3...3), (.fixed(9), 7, 7...7),
        (.fixedPercent(50), 7, 3...3), (.fixedPercent(50), 1, 0...0), (.fixedPercent(100), 7, 7...7),
        (.randomMaxPercent(50), 7, 0...3), (.one, 0, 0...0), (.all, 0, 0...0),
    ])
    func modesTakeAsManyAsChaosMesh(mode: SelectionMode, candidates: Int, expected: ClosedRange<Int>) {
        for seed in 0..<50 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let chosen = mode.choose(from: Array(0..<candidates), using: &generator)
            #expect(expected.contains(chosen.count))
            #expect(chosen == Array(Set(chosen)).sorted())
        }
    }

    @Test func theSeedDecidesAndEveryReplicaCanBeChosen() {
        var seen = Set<Int>()
        for seed in 0..<100 {
            var (first, second) = (SeededGenerator(seed: UInt64(seed)), SeededGenerator(seed: UInt64(seed)))
            let chosen = SelectionMode.one.choose(from: [0, 1, 2], using: &first)
            #expect(chosen == SelectionMode.one.choose(from: [0, 1, 2], using: &second))
            seen.formUnion(chosen)
        }
        #expect(seen == [0, 1, 2])
    }

    @Test func theGeneratorIsSplitMix64() {
        // The first outputs for seed 0 of the reference implementation, prng.di.unimi.it/splitmix64.c.
        var generator = SeededGenerator(seed: 0)
        #expect(generator.next() == 0xe220_a839_7b1d_cdaf)
        #expect(generator.next() == 0x6e78_9e6a_a1b9_65f4)
        var (mix, keys) = (SeededGenerator(seed: 7, purpose: "mix"), SeededGenerator(seed: 7, purpose: "keys"))
        #expect(mix.next() != keys.next())
    }
}
