import Experiments
import Testing

@testable import Cluster

/// Nothing is done outside of the namespace, and what cannot be done is refused by the name of the field.
@Suite struct ClusterSupportTests {
    private let support = ClusterSupport(namespace: "payment-chaos")

    @Test func experimentsOfTheNamespaceAreTaken() throws {
        for experiment in [
            try TestExperiments.loss(), try TestExperiments.delay(), try TestExperiments.stress(),
            try TestExperiments.kill(), try TestExperiments.containerKill(), try TestExperiments.failure(),
            try TestExperiments.http(), try TestExperiments.io(),
            // One that names no namespace at all means ours.
            try TestExperiments.delay(metadata: "labels: {a: b}"),
        ] {
            #expect(support.refusal(of: experiment) == nil)
        }
    }

    @Test(arguments: [
        ("selector:\n  namespaces: [kube-system]", "spec.selector.namespaces"),
        ("selector:\n  namespaces: [payment-chaos, default]", "spec.selector.namespaces"),
        ("selector:\n  pods: {default: [x]}", "spec.selector.pods"),
        ("selector:\n  nodeSelectors: {zone: a}", "spec.selector.nodeSelectors"),
        ("selector:\n  fieldSelectors: {spec.serviceAccountName: x}", "spec.selector.fieldSelectors"),
        (
            "selector: {labelSelectors: {a: b}}\ntarget: {mode: all, selector: {namespaces: [other]}}",
            "spec.target.selector.namespaces"
        ),
        ("selector: {labelSelectors: {a: b}}\nremoteCluster: west", "spec.remoteCluster"),
    ])
    func anotherPlaceIsRefusedByItsField(selector: String, field: String) throws {
        let experiment = try TestExperiments.delay(selector: selector)
        let refusal = try #require(support.refusal(of: experiment))
        #expect(refusal.field == field)
        #expect(refusal.line > 1)
    }

    @Test func anotherNamespaceOfItsOwnIsRefused() throws {
        let refusal = support.refusal(of: try TestExperiments.delay(metadata: "namespace: default"))
        #expect(refusal?.field == "metadata.namespace")
        #expect(refusal?.reason.contains("nothing is done outside of payment-chaos") == true)
    }

    @Test func otherKindsAreRefused() throws {
        let refusal = support.refusal(
            of: try TestExperiments.experiment("DNSChaos", "mode: all\naction: error\nselector: {}"))
        #expect(refusal?.field == "kind")
        #expect(refusal?.reason.contains("NetworkChaos") == true)
    }

    @Test func everyPartOfATimelineIsLookedAt() throws {
        let workflow = try TestExperiments.experiment(
            "Workflow",
            """
            entry: all
            templates:
            - name: all
              templateType: Serial
              deadline: 5m
              children: [one]
            - name: one
              templateType: NetworkChaos
              deadline: 1m
              networkChaos:
                mode: all
                selector: {namespaces: [elsewhere]}
                action: delay
                delay: {latency: 10ms}
            """)
        #expect(
            support.refusal(of: workflow)?.field == "spec.templates[1].networkChaos.selector.namespaces")
        let schedule = try TestExperiments.experiment(
            "Schedule",
            """
            schedule: '@every 1m'
            type: PodChaos
            historyLimit: 1
            concurrencyPolicy: Forbid
            podChaos: {mode: one, action: pod-kill, selector: {namespaces: [elsewhere]}}
            """)
        #expect(support.refusal(of: schedule)?.field == "spec.podChaos.selector.namespaces")
        #expect(workflow.spec.chaosKinds("Workflow") == [.network])
        #expect(schedule.spec.chaosKinds("Schedule") == [.pod])
    }

    @Test func wordsThatChaosMeshNeverHandsOnAreRefused() throws {
        let words = try TestExperiments.experiment(
            "StressChaos", "mode: all\nselector: {labelSelectors: {a: b}}\nstressngStressors: --hdd 2")
        #expect(support.refusal(of: words)?.field == "spec.stressngStressors")
    }

    @Test func filesOfTheSystemsOwnPodsAreLeftAlone() throws {
        let ours = ClusterSupport(namespace: "payment-chaos", services: ["payment-service"])
        #expect(ours.refusal(of: try TestExperiments.io())?.field == "spec.volumePath")
        // Whichever way they are selected.
        let byName = try TestExperiments.io(selector: "selector: {pods: {payment-chaos: [payment-a, other]}}")
        #expect(ours.refusal(of: byName) == nil)
        var pod = PodFacts(name: "payment-a", namespace: "payment-chaos", uid: "1")
        pod.phase = "Running"
        func refusal(app: String) throws -> Refusal? {
            pod.labels = ["app": app]
            return ours.refusal(of: byName, in: try PodChoice(byName, from: [pod], seed: 1))
        }
        #expect(try refusal(app: "payment-service")?.reason.contains("read-only") == true)
        #expect(try refusal(app: "ledger") == nil)
    }

    private static let whole = "namespace: payment-chaos\n  annotations: {payment-chaos.io/run-by: chaos-mesh}"

    private func schedule(of fault: String, metadata: String = whole) throws -> Experiment {
        try TestExperiments.experiment(
            "Schedule",
            """
            schedule: '@every 1m'
            type: NetworkChaos
            historyLimit: 1
            concurrencyPolicy: Forbid
            networkChaos: {selector: {labelSelectors: {app: payment-service}}, \(fault)}
            """, metadata: metadata)
    }

    @Test(arguments: [
        ("mode: one, action: loss, loss: {loss: '80'}", "mode: all"),
        ("mode: all, action: loss, loss: {loss: '80'}, direction: both", "direction: to"),
        ("mode: all, action: loss, loss: {loss: '80'}", "inventory-service.payment-chaos.svc"),
    ])
    func whatChaosMeshCannotDoAloneIsNotLeftToIt(fault: String, words: String) throws {
        let ours = ClusterSupport(namespace: "payment-chaos", services: ["payment-service", "inventory-service"])
        let target = ", target: {mode: all, selector: {labelSelectors: {app: inventory-service}}}"
        let refusal = try ours.refusal(of: schedule(of: fault + target))
        #expect(refusal?.field == "metadata.annotations.payment-chaos.io/run-by")
        #expect(refusal?.reason.contains(words) == true, "\(refusal?.reason ?? "none")")
        // Part by part it is done.
        #expect(try ours.refusal(of: schedule(of: fault + target, metadata: "namespace: payment-chaos")) == nil)
    }

    @Test func whatItCanDoIsLeftToItWhereTheManifestSaysSo() throws {
        let ours = ClusterSupport(namespace: "payment-chaos", services: ["payment-service", "inventory-service"])
        let loss = try schedule(
            of: """
                mode: all, action: loss, loss: {loss: '80'}, direction: to,
                  target: {mode: all, selector: {labelSelectors: {app: inventory-service}}},
                  externalTargets: ["inventory-service.payment-chaos.svc:5003"]
                """)
        #expect(loss.isWhole && ours.refusal(of: loss) == nil)
        let single = try TestExperiments.delay(metadata: Self.whole)
        #expect(ours.refusal(of: single)?.reason.contains("Workflow or a Schedule") == true)
    }

    @Test func everyExperimentOfTheProjectIsTakenThatWorks() {
        let catalogue = Catalogue.load(folder: "chaos-experiments")
        #expect(catalogue.problems == [])
        #expect(catalogue.experiments.count > 20)
        for experiment in catalogue.experiments {
            let refusal = support.refusal(of: experiment)
            #expect((refusal == nil) == (experiment.name != "io-stress-payment"), "\(experiment.name)")
        }
    }
}
