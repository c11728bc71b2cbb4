import Experiments
import Testing

/// The fields of NetworkChaos, PodChaos and StressChaos that have a grammar of their own.
@Suite struct ChaosFieldTests {
    /// The problems of a manifest of that kind, or nothing when it loads.
    private func contents(_ kind: String, _ spec: String) -> ManifestLoader.Contents {
        ManifestLoader.load(
            """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: x}
            spec:
              mode: one
              selector: {}
            \(spec)
            """, file: "x.yaml")
    }

    @Test(arguments: [
        ("1mbit", UInt64(1_000_000)), ("1mbps", 8_000_000), ("100 kbps", 800_000), ("8BIT", 8),
        (" 3Gbit ", 3_000_000_000),
        ("1tbps", 8_000_000_000_000), ("7bps", 56),
    ])
    func readsRates(text: String, bits: UInt64) throws {
        let rate = try DataRate.parse(text)
        #expect(rate.bitsPerSecond == bits)
        #expect(try DataRate.parse(rate.description) == rate)
    }

    @Test(arguments: ["", "1", "mbit", "1.5mbit", "-1mbit", "1 mega bit", "1kibit", "99999999999tbps", "0bit", "1xbit"])
    func refusesOtherRates(text: String) {
        #expect(throws: QuantityError.self) { try DataRate.parse(text) }
    }

    @Test(
        arguments: [
            ("8.8.8.8", .address("8.8.8.8"), nil), ("8.8.0.0/16", .network(address: "8.8.0.0", bits: 16), nil),
            ("1.1.1.1:80", .address("1.1.1.1"), 80), ("example.com:443", .host("example.com"), 443),
            ("10.0.0.0/8:22", .network(address: "10.0.0.0", bits: 8), 22),
            ("inventory-service", .host("inventory-service"), nil),
        ] as [(String, ExternalTarget.Place, Int?)])
    func readsExternalTargets(text: String, place: ExternalTarget.Place, port: Int?) throws {
        let target = try ExternalTarget.parse(text)
        #expect(target.place == place)
        #expect(target.port == port)
        #expect(target.description == text)
    }

    @Test(arguments: [
        "", "1.1.1", "1.1.1.256", "1.1.1.01", "1.1.1.1/33", "1.1.1.1/", "example.com:0", "example.com:65536", "::1",
        "a b", "-a.com", "a..b", "1.1.1.1:+80", "10.0.0.0/8/8",
    ])
    func refusesOtherTargets(text: String) {
        #expect(throws: QuantityError.self) { try ExternalTarget.parse(text) }
        let broken = contents("NetworkChaos", "  action: partition\n  externalTargets: [8.8.8.8, \"\(text)\"]")
        #expect(broken.problems.map(\.field) == ["spec.externalTargets[1]"])
        #expect(broken.problems.map(\.line) == [8])
    }

    @Test(arguments: ["1m30s", "5", ".5s", "5.s", "1us1ns", "200 ms"])
    func netemsTimesHaveOneUnit(text: String) {
        let broken = contents("NetworkChaos", "  action: delay\n  delay: {latency: 1.5s, jitter: \"\(text)\"}")
        #expect(broken.problems.map(\.field) == ["spec.delay.jitter"])
    }

    /// As the webhook of Chaos Mesh, whose checks end for a partition before they look at directions.
    @Test(arguments: ["direction: from", "direction: both\n  externalTargets: [example.com]", "direction: to"])
    func aPartitionTakesAnyDirection(rest: String) {
        #expect(contents("NetworkChaos", "  action: partition\n  \(rest)").problems == [])
    }

    @Test func readsEveryFieldOfAPodChaos() throws {
        let experiments = contents(
            "PodChaos",
            """
              action: container-kill
              containerNames: [payment, sidecar]
              gracePeriod: 5
              remoteCluster: east
              duration: 90s
            """
        ).experiments
        guard case .pod(let pod) = try #require(experiments.first).spec else { throw Failure.wrongKind }
        #expect(pod.action == .containerKill && pod.isOneShot)
        #expect(pod.containerNames == ["payment", "sidecar"])
        #expect(pod.gracePeriod == 5)
        #expect(pod.remoteCluster == "east")
        #expect(pod.duration == .seconds(90))
        #expect(pod.target.mode == .one)
        #expect(experiments.first?.duration == .seconds(90))
        #expect(
            experiments.first?.effectiveDoseText == "kills payment, sidecar in one of everything in default at once: "
                + "gracePeriod is for pod-kill alone")
    }

    @Test(
        arguments: [
            ("action: pod-kill", nil), ("action: pod-failure", nil), ("action: pod-failure\n  gracePeriod: 5", nil),
            ("action: pod-kill\n  duration: 30s", nil), ("action: pod-explode", "spec.action"),
            ("action: container-kill", "spec.containerNames"),
            ("action: container-kill\n  containerNames: []", "spec.containerNames"),
            ("action: pod-kill\n  gracePeriod: -1", "spec.gracePeriod"),
            ("action: pod-kill\n  gracePeriod: \"5\"", "spec.gracePeriod"),
            ("action: pod-kill\n  grace: 5", "spec.grace"), ("gracePeriod: 5", "spec.action"),
        ] as [(String, String?)])
    func podChaosIsReadAsTheWebhookDoes(spec: String, field: String?) {
        #expect(contents("PodChaos", "  \(spec)").problems.map(\.field) == (field.map { [$0] } ?? []))
    }

    private func stress(_ words: String) throws -> StressChaosSpec {
        let read = contents("StressChaos", "  stressngStressors: \"\(words)\"\n  stressors: {cpu: {workers: 9}}")
        guard case .stress(let stress) = try #require(read.experiments.first).spec else { throw Failure.wrongKind }
        return stress
    }

    @Test(
        arguments: [
            ("--cpu 2", StressLoad(cpu: .init(workers: 2, load: 100))),
            ("--cpu=2 --cpu-load 40", StressLoad(cpu: .init(workers: 2, load: 40))),
            ("-c 3 -l 5", StressLoad(cpu: .init(workers: 3, load: 5))),
            ("--vm 1", StressLoad(memory: .init(workers: 1, size: .bytes(256 << 20)))),
            ("--vm 2 --vm-bytes 50%", StressLoad(memory: .init(workers: 2, size: .percent(50)))),
            (
                "--hdd 2  --hdd-bytes 32M --vm 1 --vm-bytes 1.5k",
                StressLoad(memory: .init(workers: 1, size: .bytes(1536)), disk: .init(workers: 2, bytes: 32 << 20))
            ),
            ("--hdd 1", StressLoad(disk: .init(workers: 1, bytes: 1 << 30))),
        ] as [(String, StressLoad)])
    func readsStressNGsWords(words: String, load: StressLoad) throws {
        #expect(try stress(words).resolvedLoad() == load, "the words win over the stressors")
    }

    @Test(arguments: [
        ("--cpu", "--cpu"), ("--cpu 0", "'0'"), ("--cpu many", "many"), ("--io 1", "--io"),
        ("--cpu 1 --timeout 60", "--timeout"), ("--cpu 1 --cpu 2", "twice"), ("--hdd-bytes 1M", "without --hdd"),
        ("--hdd 1 --hdd-bytes 10%", "10%"), ("--vm 1 --vm-bytes 0", "'0'"), ("--cpu 1 --cpu-load 101", "101"),
        ("2", "2"),
    ])
    func namesTheWordThatIsNotRun(words: String, named: String) throws {
        let stress = try stress(words)
        let error = #expect(throws: QuantityError.self) { try stress.resolvedLoad() }
        #expect(error?.description.contains(named) == true)
    }

    @Test func stressorsWithoutOneAreNone() {
        #expect(contents("StressChaos", "  stressors: {}").problems.map(\.field) == ["spec.stressors"])
        #expect(
            contents("StressChaos", "  stressors: {}\n  stressngStressors: --cpu 1").problems.map(\.field)
                == ["spec.stressors"])
        #expect(contents("StressChaos", "  stressngStressors: \"\"").problems.map(\.field) == ["spec.stressors"])
    }

    @Test func stressorsAreALoadToo() throws {
        let read = contents("StressChaos", "  stressors: {memory: {workers: 1, size: 5%, oomScoreAdj: 7}}")
        guard case .stress(let stress) = try #require(read.experiments.first).spec else { throw Failure.wrongKind }
        let load = StressLoad(memory: .init(workers: 1, size: .percent(5), oomScoreAdjustment: 7))
        #expect(try stress.resolvedLoad() == load)
    }
}
