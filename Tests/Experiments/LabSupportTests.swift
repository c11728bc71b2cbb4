import Experiments
import Foundation
import Testing

@Suite struct LabSupportTests {
    private func experiment(_ spec: String, kind: String = "NetworkChaos") throws -> Experiment {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: x, namespace: payment-chaos}
            spec:
              mode: all
            \(spec)
            """
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.problems == [])
        return try #require(contents.experiments.first)
    }

    private func loss(_ rest: String) throws -> Experiment {
        try experiment("  action: loss\n  selector: {}\n\(rest)")
    }

    @Test func runsALossWithoutCorrelation() throws {
        #expect(LabSupport.refusal(of: try loss("  loss: {loss: \"80\"}")) == nil)
        #expect(LabSupport.refusal(of: try loss("  loss: {loss: \"80\", correlation: \"0\"}")) == nil)
        #expect(LabSupport.refusal(of: try loss("  loss: {loss: \"100\"}")) == nil)
    }

    @Test(arguments: [
        ("  loss: {loss: \"0\"}", "spec.loss.loss", 8),
        ("  loss: {loss: \"8\"}\n  device: eth0", "spec.device", 9),
        ("  loss: {loss: \"8\"}\n  remoteCluster: a", "spec.remoteCluster", 9),
        (
            "  loss: {loss: \"8\"}\n  target:\n    mode: all\n    selector:\n      nodes: [a]",
            "spec.target.selector.nodes", 12
        ),
    ])
    func refusesTheRestOfNetworkChaos(rest: String, field: String, line: Int) throws {
        let refusal = try #require(LabSupport.refusal(of: try loss(rest)))
        #expect(refusal.file == "x.yaml" && refusal.line == line && refusal.field == field, "\(refusal)")
    }

    @Test(arguments: [
        "action: delay\n  delay: {latency: 1s, jitter: 1ms, correlation: \"5\", reorder: {reorder: \"5\", gap: 2}}",
        "action: duplicate\n  duplicate: {duplicate: \"1\"}", "action: corrupt\n  corrupt: {corrupt: \"1\"}",
        "action: loss\n  loss: {loss: \"80\", correlation: \"50\"}", "action: netem\n  rate: {rate: 1mbps}",
        "action: loss\n  loss: {loss: \"80\"}\n  externalTargets: [a]",
        "action: netem\n  delay: {latency: 1s}\n  loss: {loss: \"8\"}\n  rate: {rate: 1mbit}", "action: partition",
        "action: bandwidth\n  bandwidth: {rate: 1mbit, limit: 20000, buffer: 10000}",
    ])
    func runsEveryActionOfNetworkChaos(spec: String) throws {
        #expect(LabSupport.refusal(of: try experiment("  selector: {}\n  \(spec)")) == nil)
    }

    @Test(
        arguments: [
            ("stressors: {cpu: {workers: 2}}", nil), ("stressors: {memory: {workers: 1, size: 1MB}}", nil),
            ("stressors: {memory: {workers: 1}}", nil), ("stressors: {memory: {workers: 1, size: 5%}}", nil),
            ("stressors: {memory: {workers: 1, size: 1MB, oomScoreAdj: 5}}", nil),
            ("stressors: {cpu: {workers: 65}}", "spec.stressors.cpu.workers"),
            ("stressors: {cpu: {workers: 1, options: [a]}}", "spec.stressors.cpu.options"),
            ("stressngStressors: --hdd 1", nil), ("stressngStressors: --io 1", "spec.stressngStressors"),
            ("stressngStressors: --hdd 65", "spec.stressngStressors"),
            ("stressngStressors: --hdd 1\n  stressors: {cpu: {workers: 1}}", "spec.stressors"),
            ("containerNames: [a]\n  stressors: {cpu: {workers: 1}}", nil),
        ] as [(String, String?)])
    func runsStressOfKnownSize(spec: String, field: String?) throws {
        let experiment = try experiment("  selector: {}\n  \(spec)", kind: "StressChaos")
        #expect(LabSupport.refusal(of: experiment)?.field == field)
    }

    @Test(
        arguments: [
            ("action: pod-kill", nil), ("action: pod-kill\n  gracePeriod: 900", nil), ("action: pod-failure", nil),
            ("action: container-kill\n  containerNames: [a]", nil),
            ("action: pod-kill\n  gracePeriod: 901", "spec.gracePeriod"),
            ("action: pod-failure\n  gracePeriod: 1", nil), ("action: pod-failure\n  gracePeriod: 901", nil),
            ("action: pod-kill\n  containerNames: [a]", "spec.containerNames"),
            ("action: pod-kill\n  remoteCluster: a", "spec.remoteCluster"),
        ] as [(String, String?)])
    func runsPodChaos(spec: String, field: String?) throws {
        let experiment = try experiment("  selector: {}\n  \(spec)", kind: "PodChaos")
        #expect(LabSupport.refusal(of: experiment)?.field == field)
    }

    @Test func refusesKindsThatAreOnlyListed() throws {
        let refusal = LabSupport.refusal(of: try experiment("  any: thing", kind: "TimeChaos"))
        #expect(refusal?.description == "x.yaml:2: kind: TimeChaos needs a cluster: the local lab only lists it")
    }

    @Test func aCardSaysWhatReallyHappens() throws {
        let target = "\n  direction: both\n  target: {mode: one, selector: {labelSelectors: {app: inventory-service}}}"
        let correlated = try loss("  loss: {loss: \"80\", correlation: \"50\"}\(target)")
        #expect(
            correlated.effectiveDoseText == "drops 97 % of packets (80 % with correlation 50) "
                + "everything in payment-chaos <-> one of inventory")
        let plain = try loss("  loss: {loss: \"80\"}")
        #expect(plain.effectiveDoseText == "drops 80 % of packets everything in payment-chaos -> everyone")
        let stress = try experiment(
            "  selector: {labelSelectors: {app: payment-service}}\n  duration: 1m30s\n  stressors: "
                + "{cpu: {workers: 2, load: 70}, memory: {workers: 1, size: 80MB}}", kind: "StressChaos")
        #expect(
            stress.effectiveDoseText
                == "asks for 1.4 cores (2 workers at 70 %) and holds 80 MB of memory in payment")

        let disk = try experiment(
            "  selector: {labelSelectors: {app: payment-service}}\n  stressngStressors: --hdd 2 --hdd-bytes 32M",
            kind: "StressChaos")
        #expect(disk.effectiveDoseText == "writes 32 MiB to disk again and again (2 workers) in payment")

        let document = ExperimentDocument(stress, refusal: nil)
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(document)) as? [String: Any]
        #expect(json?["effective_dose"] as? String == stress.effectiveDoseText)
        #expect(json?["duration"] as? String == "1m30s")
        #expect(json?["target"] as? String == "payment")
        #expect((json?["stop_conditions"] as? [String])?.isEmpty == true)
    }

    @Test(arguments: [
        (
            "  action: corrupt\n  corrupt: {corrupt: \"30\", correlation: \"50\"}",
            "damages 13 % of packets (30 % with correlation 50)"
        ),
        ("  action: duplicate\n  duplicate: {duplicate: \"40\"}", "repeats 40 % of packets"),
        (
            "  action: loss\n  loss: {loss: \"10\", correlation: \"25\"}",
            "drops 1.8 % of packets (10 % with correlation 25)"
        ),
        ("  action: delay\n  delay: {latency: 200ms, jitter: 50ms}", "delays packets by 200ms +- 50ms"),
        (
            "  action: delay\n  delay: {latency: 1s, reorder: {reorder: \"25\", gap: 1}}",
            "delays packets by 1s, lets 25 % of packets overtake"
        ),
        (
            "  action: delay\n  delay: {latency: 1s, reorder: {reorder: \"50\", gap: 5}}",
            "delays packets by 1s, lets 16.7 % of packets (50 % of those after each 4) overtake"
        ),
        ("  action: partition", "drops all packets"),
        ("  action: bandwidth\n  bandwidth: {rate: 1mbit, limit: 1, buffer: 1}", "lets 1mbit of packets through"),
        (
            "  action: netem\n  loss: {loss: \"5\"}\n  rate: {rate: 1mbps}",
            "drops 5 % of packets, limits the rate to 1mbps"
        ),
    ])
    func everyNetworkDoseIsSaid(spec: String, text: String) throws {
        let experiment = try experiment("  selector: {labelSelectors: {app: payment-service}}\n\(spec)")
        #expect(experiment.effectiveDoseText == "\(text) payment -> everyone")
    }

    /// netem's reordering, packet by packet: one that may overtake goes at once and starts the count anew.
    @Test(arguments: [(25, 1), (50, 5), (10, 3), (100, 4)])
    func reorderingIsWhatTheKernelMakesOfIt(percent: Int, gap: Int) throws {
        var generator = SeededGenerator(seed: UInt64(percent + gap))
        var (counter, overtaking) = (0, 0)
        let packets = 200_000
        for _ in 0..<packets {
            if counter < gap - 1 || Int.random(in: 0..<100, using: &generator) >= percent {
                counter += 1
            } else {
                counter = 0
                overtaking += 1
            }
        }
        let experiment = try experiment(
            "  selector: {}\n  action: delay\n  delay: {latency: 1s, reorder: {reorder: \"\(percent)\", gap: \(gap)}}")
        let text = experiment.effectiveDoseText
        let shown = try #require(text.firstMatch(of: #/lets ([0-9.]+) %/#).flatMap { Double($0.1) })
        #expect(abs(shown - Double(overtaking) / Double(packets) * 100) < 0.5, "\(text)")
    }
}
