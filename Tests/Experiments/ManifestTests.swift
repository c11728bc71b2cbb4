import Experiments
import Foundation
import Testing

/// A manifest of each typed kind with every field that the type has.
enum Samples {
    static let network = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: NetworkChaos
        metadata:
          name: everything
          namespace: payment-chaos
          labels: {severity: high}
          annotations:
            payment-chaos.io/description: All fields
        spec:
          action: netem
          mode: fixed-percent
          value: "50"
          selector:
            namespaces: [payment-chaos, other]
            labelSelectors: {app: payment-service}
            expressionSelectors:
              - {key: tier, operator: In, values: [payment]}
            annotationSelectors: {a: b}
            fieldSelectors: {metadata.name: x}
            podPhaseSelectors: [Running, "!Failed"]
            nodes: [node-1]
            nodeSelectors: {disk: ssd}
            pods:
              payment-chaos: [payment-0]
          direction: both
          target:
            mode: fixed
            value: "2"
            selector:
              labelSelectors: {app: inventory-service}
          loss: {loss: "80", correlation: "50"}
          delay:
            latency: 200ms
            jitter: 50ms
            correlation: "25"
            reorder: {reorder: "10", correlation: "5", gap: 3}
          duplicate: {duplicate: "1.5", correlation: "0"}
          corrupt: {corrupt: "2"}
          rate: {rate: 1mbps}
          bandwidth: {rate: 1mbit, limit: 20971520, buffer: 10000, peakrate: 1, minburst: 2}
          device: eth0
          targetDevice: eth1
          remoteCluster: east
          duration: 5m
        """

    static let stress = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: StressChaos
        metadata: {name: stress}
        spec:
          mode: one
          value: ""
          selector: {}
          stressors:
            cpu: {workers: 2, load: 80, options: ["--cpu-method all"]}
            memory: {workers: 1, size: 50%, options: [], oomScoreAdj: -500}
          stressngStressors: --io 1
          containerNames: [payment]
          remoteCluster: east
          duration: 1m30s
        """
}

@Suite struct ManifestTests {
    private func onlyExperiment(_ text: String) throws -> Experiment {
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.problems == [])
        return try #require(contents.experiments.first)
    }

    @Test func readsEveryFieldOfANetworkChaos() throws {
        let experiment = try onlyExperiment(Samples.network)
        #expect(experiment.name == "everything")
        #expect(experiment.line == 4)
        #expect(experiment.namespace == "payment-chaos")
        #expect(experiment.labels == ["severity": "high"])
        #expect(experiment.description == "All fields")
        #expect(experiment.duration == .seconds(300))
        guard case .network(let network) = experiment.spec else { throw Failure.wrongKind }
        #expect(network.action == .netem)
        #expect(network.direction == .both)
        #expect(network.source.mode == .fixedPercent(50))
        var selector = Selector()
        selector.namespaces = ["payment-chaos", "other"]
        selector.labels = ["app": "payment-service"]
        selector.expressions = [LabelExpression(key: "tier", operator: .isIn, values: ["payment"])]
        selector.annotations = ["a": "b"]
        selector.fields = ["metadata.name": "x"]
        selector.phases = ["Running", "!Failed"]
        selector.nodes = ["node-1"]
        selector.nodeLabels = ["disk": "ssd"]
        selector.pods = ["payment-chaos": ["payment-0"]]
        #expect(network.source.selector == selector)
        #expect(network.target?.mode == .fixed(2))
        #expect(network.target?.selector.namespaces == ["payment-chaos"], "the experiment's own by default")
        #expect(network.loss?.loss.basisPoints == 8000)
        #expect(network.loss?.correlation.basisPoints == 5000)
        #expect(network.delay?.latency == .milliseconds(200))
        #expect(network.delay?.jitter == .milliseconds(50))
        #expect(network.delay?.reorder?.gap == 3)
        #expect(network.duplicate?.share.basisPoints == 150)
        #expect(network.corrupt?.share.basisPoints == 200)
        #expect(network.rate?.bitsPerSecond == 8_000_000)
        #expect(network.bandwidth?.limit == 20_971_520)
        #expect(network.device == "eth0")
        #expect(network.targetDevice == "eth1")
        #expect(network.remoteCluster == "east")
    }

    @Test func readsEveryFieldOfAStressChaos() throws {
        let experiment = try onlyExperiment(Samples.stress)
        guard case .stress(let stress) = experiment.spec else { throw Failure.wrongKind }
        #expect(experiment.namespace == "default")
        #expect(stress.target.mode == .one)
        #expect(stress.cpu?.workers == 2)
        #expect(stress.cpu?.load == 80)
        #expect(stress.cpu?.options == ["--cpu-method all"])
        #expect(stress.memory?.workers == 1)
        #expect(stress.memory?.size == .percent(50))
        #expect(stress.memory?.oomScoreAdjustment == -500)
        #expect(stress.stressngStressors == "--io 1")
        #expect(stress.containerNames == ["payment"])
        #expect(stress.remoteCluster == "east")
        #expect(stress.duration == .seconds(90))
    }

    /// Each row breaks one line of a good manifest: what stands there, what stands there instead, and the field and
    /// line that the refusal must name.
    static let brokenNetworks: [(String, String, String, Int)] = [
        ("chaos-mesh.org/v1alpha1", "chaos-mesh.org/v1", "apiVersion", 1),
        ("kind: NetworkChaos", "kind: NetworkChoas", "kind", 2),
        ("name: everything", "name: Every_thing", "metadata.name", 4),
        ("namespace: payment-chaos", "namespaze: payment-chaos", "metadata.namespaze", 5),
        ("{severity: high}", "{severity: 3}", "metadata.labels.severity", 6),
        ("action: netem", "action: nettem", "spec.action", 10),
        ("action: netem", "action: true", "spec.action", 10),
        ("mode: fixed-percent", "mode: some", "spec.mode", 11),
        ("value: \"50\"", "value: 50", "spec.value", 12),
        ("value: \"50\"", "value: \"0\"", "spec.value", 12),
        ("value: \"50\"", "value: \"101\"", "spec.value", 12),
        ("namespaces: [payment-chaos, other]", "namespaces: payment-chaos", "spec.selector.namespaces", 14),
        ("labelSelectors: {app: payment", "labelSelector: {app: payment", "spec.selector.labelSelector", 15),
        ("operator: In", "operator: Near", "spec.selector.expressionSelectors[0].operator", 17),
        ("operator: In,", "operator: Exists,", "spec.selector.expressionSelectors[0].values", 17),
        ("[Running, \"!Failed\"]", "[Walking]", "spec.selector.podPhaseSelectors", 20),
        ("direction: both", "direction: sideways", "spec.direction", 25),
        ("value: \"2\"", "value: \"none\"", "spec.target.value", 28),
        ("loss: \"80\"", "loss: 80", "spec.loss.loss", 31),
        ("loss: \"80\"", "loss: \"120\"", "spec.loss.loss", 31),
        ("{loss: \"80\", correlation", "{correlation", "spec.loss.loss", 31),
        ("latency: 200ms", "latency: fast", "spec.delay.latency", 33),
        ("latency: 200ms", "lateness: 200ms", "spec.delay.lateness", 33),
        ("gap: 3", "gap: \"3\"", "spec.delay.reorder.gap", 36),
        ("rate: 1mbps", "rate: 1 bushel", "spec.rate.rate", 39),
        ("limit: 20971520", "limit: 0", "spec.bandwidth.limit", 40),
        ("device: eth0", "device:", "spec.device", 41),
        ("duration: 5m", "duration: 5", "spec.duration", 44),
        ("duration: 5m", "duration: 0s", "spec.duration", 44),
        ("duration: 5m", "scheduler: {}", "spec.scheduler", 44),
        ("remoteCluster: east", "externalTargets: [1.1.1.1]", "spec.externalTargets", 43),
    ]

    @Test(arguments: brokenNetworks)
    func refusesWithFileLineAndField(good: String, bad: String, field: String, line: Int) throws {
        #expect(Samples.network.contains(good))
        let text = Samples.network.replacing(good, with: bad, maxReplacements: 1)
        let contents = ManifestLoader.load(text, file: "chaos/x.yaml")
        #expect(contents.experiments.isEmpty)
        let problem = try #require(contents.problems.first)
        #expect(problem.file == "chaos/x.yaml")
        #expect(problem.field == field)
        #expect(problem.line == line, "\(problem)")
    }

    @Test(arguments: [
        ("workers: 2", "workers: 0", "spec.stressors.cpu.workers"),
        ("workers: 2", "workers: 8193", "spec.stressors.cpu.workers"),
        ("workers: 2, ", "", "spec.stressors.cpu.workers"),
        ("load: 80", "load: 101", "spec.stressors.cpu.load"),
        ("load: 80", "load: high", "spec.stressors.cpu.load"),
        ("size: 50%", "size: 50 elephants", "spec.stressors.memory.size"),
        ("oomScoreAdj: -500", "oomScoreAdj: -5000", "spec.stressors.memory.oomScoreAdj"),
        ("    cpu:", "    disk:", "spec.stressors.disk"),
        ("value: \"\"", "value: \"1\"", "spec.value"),
        ("selector: {}", "selectors: {}", "spec.selectors"),
        ("  selector: {}\n", "", "spec.selector"),
        ("mode: one", "mode: [one]", "spec.mode"),
    ])
    func refusesStressToo(good: String, bad: String, field: String) throws {
        #expect(Samples.stress.contains(good))
        let contents = ManifestLoader.load(Samples.stress.replacing(good, with: bad, maxReplacements: 1), file: "x")
        #expect(contents.problems.map(\.field) == [field])
    }

    @Test(arguments: [
        ("delay", "loss"), ("loss", "delay"), ("duplicate", "loss"), ("bandwidth", "loss"), ("netem", "bandwidth"),
    ])
    func anActionNeedsItsField(action: String, given: String) throws {
        let fields = [
            "loss": "{loss: \"1\"}", "delay": "{latency: 1s}", "bandwidth": "{rate: 1bps, limit: 1, buffer: 1}",
        ]
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: x}
            spec:
              action: \(action)
              mode: all
              selector: {}
              \(given): \(try #require(fields[given]))
            """
        #expect(ManifestLoader.load(text, file: "x").problems.count == 1)
    }

    @Test func aDirectionNeedsATarget() {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: x}
            spec: {action: loss, loss: {loss: "1"}, mode: all, selector: {}, direction: from}
            """
        #expect(ManifestLoader.load(text, file: "x").problems.map(\.field) == ["spec.direction"])
    }

    @Test func otherKindsAreListedAndABadDocumentHidesNoOther() throws {
        let text = """
            # a comment
            ---
            apiVersion: chaos-mesh.org/v1alpha1
            kind: TimeChaos
            metadata: {name: shift, labels: {a: b}}
            spec: {timeOffset: -10m}
            ---
            kind: nonsense
            ---
            \(Samples.stress)
            ---
            """
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.experiments.map(\.name) == ["shift", "stress"])
        #expect(contents.experiments.map(\.kind) == ["TimeChaos", "StressChaos"])
        let kept = ManifestTree.fields([.init("timeOffset", .text("-10m"))])
        #expect(contents.experiments.first?.spec == .other(kept))
        #expect(contents.problems.map(\.line) == [8])
    }

    @Test(arguments: ["a: [", "a: 1\na: 2", "- list", "word", "\t- x", "a: *nowhere", "{{{{"])
    func refusesWhatIsNoManifest(text: String) {
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.experiments.isEmpty)
        #expect(contents.problems.count == 1)
    }

    /// Ten times ten times ten ... values out of a dozen lines, in a kind that is kept as it stands.
    @Test(.timeLimit(.minutes(1))) func aFloodOfAliasesIsRefused() {
        var text = "apiVersion: chaos-mesh.org/v1alpha1\nkind: TimeChaos\nmetadata: {name: x}\nspec:\n  a0: &a0 [x]\n"
        for level in 1...12 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "  a\(level): &a\(level) [\(aliases)]\n"
        }
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.experiments.isEmpty)
        #expect(contents.problems.map(\.reason) == ["has more than 20000 values"])
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func aDeepNestIsRefused(opening: String) {
        let text = String(repeating: opening, count: 60_000)
        #expect(ManifestLoader.load(text, file: "x.yaml").problems.count == 1)
    }

    @Test func damagedManifestsAreRefusedOrRead() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<300 {
            var bytes = Array(Samples.network.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 9...126, using: &generator)
            }
            let contents = ManifestLoader.load(String(decoding: bytes, as: UTF8.self), file: "x.yaml")
            for problem in contents.problems { #expect((0...60).contains(problem.line), "\(problem)") }
            #expect(contents.experiments.count + contents.problems.count > 0)
        }
    }
}

enum Failure: Error { case wrongKind }
