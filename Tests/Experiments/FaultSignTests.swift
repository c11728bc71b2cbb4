import Experiments
import Shared
import Testing

@Suite struct FaultSignTests {
    private func spec(_ kind: String, _ body: String) throws -> Experiment.Spec {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: a}
            spec: {mode: all, selector: {}, \(body)}
            """
        let contents = ManifestLoader.load(text, file: "a.yaml")
        return try #require(contents.experiments.first, "\(contents.problems)").spec
    }

    @Test(arguments: [
        (#"action: loss, loss: {loss: "80"}"#, ["loss: 80 %"]),
        (#"action: loss, loss: {loss: "80", correlation: "50"}"#, ["loss: 97 % (80 % with correlation 50)"]),
        ("action: delay, delay: {latency: 200ms}", ["delay: 200 ms"]),
        ("action: delay, delay: {latency: 200ms, jitter: 50ms}", ["delay: 200 ms +- 50 ms"]),
        ("action: delay, delay: {latency: 1.5s, jitter: 500us}", ["delay: 1.5 s +- 0.5 ms"]),
        (
            #"action: delay, delay: {latency: 90ms, reorder: {reorder: "25", correlation: "0", gap: 1}}"#,
            ["delay: 90 ms, 25 % overtake"]
        ),
        (#"action: duplicate, duplicate: {duplicate: "10.5"}"#, ["duplicate: 10.5 %"]),
        (#"action: corrupt, corrupt: {corrupt: "1"}"#, ["corrupt: 1 %"]),
        ("action: bandwidth, bandwidth: {rate: 1mbps, limit: 20000, buffer: 10000}", ["bandwidth: 1mbps"]),
        ("action: partition", ["partition: cut"]),
        (
            #"action: netem, loss: {loss: "5"}, delay: {latency: 10ms}, rate: {rate: 1mbit}"#,
            ["loss: 5 %", "delay: 10 ms", "bandwidth: 1mbit"]
        ),
    ])
    func networkFaultsAreSaidInNumbers(body: String, signs: [String]) throws {
        #expect(try spec("NetworkChaos", body).signs.map { "\($0.kind): \($0.label)" } == signs)
    }

    @Test(arguments: [
        ("StressChaos", "stressors: {cpu: {workers: 2, load: 80}}", ["cpu: 1.6 cores"]),
        ("StressChaos", "stressors: {cpu: {workers: 1}}", ["cpu: 1 core"]),
        (
            "StressChaos", "stressors: {cpu: {workers: 2}, memory: {workers: 1, size: 64MiB}}",
            ["cpu: 2 cores", "memory: 64 MiB"]
        ),
        ("StressChaos", "stressngStressors: --hdd 1 --hdd-bytes 8m", ["disk: 8 MiB"]),
        ("PodChaos", "action: pod-kill", ["kill: killed"]),
        ("PodChaos", "action: pod-failure, duration: 30s", ["failure: down"]),
    ])
    func faultsOfProcessesAreToo(kind: String, body: String, signs: [String]) throws {
        let spec = try spec(kind, body)
        #expect(spec.signs.map { "\($0.kind): \($0.label)" } == signs)
        #expect(spec.direction == nil)
    }

    @Test func aNetworkFaultHasADirection() throws {
        #expect(try spec("NetworkChaos", "action: partition").direction == .to)
        let both = "action: partition, direction: both, target: {mode: all, selector: {}}"
        #expect(try spec("NetworkChaos", both).direction == .both)
    }

    @Test func failureModesHaveASignEach() {
        #expect(FailureModes.off.signs.isEmpty)
        var modes = FailureModes.off
        modes.gatewayTimeoutEnabled = true
        modes.gatewayTimeoutProbability = 20
        modes.gatewayTimeoutDelay = 2.5
        modes.stolenCardEnabled = true
        modes.stolenCardProbability = 0.5
        #expect(
            modes.signs == [
                .init(.failureMode, "gateway timeout 20 %, 2.5 s, after-charge"),
                .init(.failureMode, "stolen card 0.5 %"),
            ])
    }
}
