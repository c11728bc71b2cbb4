import Experiments
import Foundation
import Testing

/// Every documented field of the kinds that the lab runs: it is run, or refused with file, line and field. The list of
/// them is `Tests/Fixtures/chaos-mesh-fields.txt`.
@Suite struct EveryFieldTests {
    /// One spec and the documented fields that it shows.
    struct Sample: Sendable, CustomTestStringConvertible {
        let kind: String
        let spec: String
        let fields: [String]
        /// The field that no lab honours, as refusals name it; nil where all are run.
        var refused: String?

        var testDescription: String { "\(kind) \(fields.joined(separator: " "))" }

        var manifest: String { manifest(of: spec) }

        private func manifest(of spec: String) -> String {
            "apiVersion: chaos-mesh.org/v1alpha1\nkind: \(kind)\nmetadata: {name: x}\nspec:\n"
                + spec.split(separator: "\n").map { "  \($0)\n" }.joined()
        }

        /// With one letter too many in the name of a field.
        func misspelling(_ name: Substring) -> String {
            guard let place = spec.ranges(of: "\(name):").last else { return manifest }
            return manifest(of: spec.replacingCharacters(in: place, with: "\(name)s:"))
        }

        /// Where the refused field stands in the manifest, from 1.
        var line: Int? {
            guard let name = refused?.split(separator: ".").last else { return nil }
            let lines = manifest.split(separator: "\n")
            return lines.firstIndex { $0.contains("\(name):") }.map { $0 + 1 }
        }
    }

    static let samples = network + selectors + stress + pod + schedule + workflow

    @Test func everyDocumentedFieldHasItsSample() throws {
        let file = FixtureTests.folder.appending(path: "chaos-mesh-fields.txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let documented = lines.filter { !$0.hasPrefix("#") }.map(String.init)
        let shown = Set(Self.samples.flatMap { sample in sample.fields.map { "\(sample.kind) spec.\($0)" } })
        #expect(documented.count > 130)
        #expect(documented.filter { !shown.contains($0) } == [])
        #expect(shown.subtracting(documented).isEmpty)
    }

    @Test(arguments: samples)
    func isRunOrRefusedWithItsPlace(sample: Sample) throws {
        let contents = ManifestLoader.load(sample.manifest, file: "x.yaml")
        #expect(contents.problems == [], "\(sample.manifest)")
        let experiment = try #require(contents.experiments.first)
        for field in sample.fields {
            let name = try #require(field.split(separator: ".").last)
            #expect(sample.spec.contains("\(name):"), "the sample shows \(field)")
            #expect(try experiment.manifest.yaml.contains("\(name):"), "\(field) was read")
        }
        let refusal = LabSupport.refusal(of: experiment)
        #expect(refusal?.field == sample.refused.map { "spec.\($0)" }, "\(String(describing: refusal))")
        #expect(refusal?.line == sample.line && refusal?.reason.isEmpty != true)
    }

    /// Nothing is passed over: not even one letter too many.
    @Test(arguments: samples)
    func aMisspeltFieldIsRefused(sample: Sample) throws {
        for field in sample.fields {
            let name = try #require(field.split(separator: ".").last)
            let wrong = sample.misspelling(name)
            let problem = try #require(ManifestLoader.load(wrong, file: "x.yaml").problems.first, "\(wrong)")
            #expect(problem.line > 1 && problem.field.hasPrefix("spec"), "\(problem)")
        }
    }

    // MARK: NetworkChaos

    private static func network(
        _ spec: String, _ fields: [String], refused: String? = nil, mode: String = "mode: one\n"
    ) -> Sample {
        Sample(kind: "NetworkChaos", spec: mode + "selector: {}\n" + spec, fields: fields, refused: refused)
    }

    private static let loss = "action: loss\nloss: {loss: \"10\"}\n"

    private static let network = [
        network("action: loss\nloss: {loss: \"10\", correlation: \"5\"}", ["action", "loss.loss", "loss.correlation"]),
        network(
            "action: delay\ndelay: {latency: 10ms, jitter: 1ms, correlation: \"5\"}",
            ["delay.latency", "delay.jitter", "delay.correlation"]),
        network(
            "action: delay\ndelay: {latency: 10ms, reorder: {reorder: \"10\", correlation: \"5\", gap: 3}}",
            ["delay.reorder.reorder", "delay.reorder.correlation", "delay.reorder.gap"]),
        network(
            "action: duplicate\nduplicate: {duplicate: \"10\", correlation: \"5\"}",
            ["duplicate.duplicate", "duplicate.correlation"]),
        network(
            "action: corrupt\ncorrupt: {corrupt: \"10\", correlation: \"5\"}",
            ["corrupt.corrupt", "corrupt.correlation"]),
        network("action: netem\nrate: {rate: 1mbit}", ["rate.rate"]),
        network(
            "action: bandwidth\nbandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, peakrate: 500000, minburst: 1600}",
            ["rate", "limit", "buffer", "peakrate", "minburst"].map { "bandwidth.\($0)" }),
        network(
            "action: bandwidth\nbandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, peakrate: 500000}",
            ["bandwidth.peakrate"], refused: "bandwidth.peakrate"),
        network(
            "action: bandwidth\nbandwidth: {rate: 1mbit, limit: 20000, buffer: 10000, minburst: 1600}",
            ["bandwidth.minburst"], refused: "bandwidth.minburst"),
        network(loss, ["mode", "value"], mode: "mode: fixed\nvalue: \"2\"\n"),
        network(loss + "direction: to\nduration: 30s", ["direction", "duration"]),
        network(
            loss + "direction: both\ntarget: {mode: fixed, selector: {}, value: \"2\"}",
            ["target.mode", "target.value"]),
        network(loss + "externalTargets: [1.1.1.1]", ["externalTargets"]),
        network(loss + "device: eth0", ["device"], refused: "device"),
        network(loss + "targetDevice: eth0", ["targetDevice"], refused: "targetDevice"),
        network(loss + "remoteCluster: east", ["remoteCluster"], refused: "remoteCluster"),
        // Chaos Mesh passes over what does not belong to the action; the lab says so.
        network("action: partition\nloss: {loss: \"10\"}", ["loss.loss"], refused: "loss"),
        network(
            loss + "bandwidth: {rate: 1mbit, limit: 20000, buffer: 10000}", ["bandwidth.rate"], refused: "bandwidth"),
    ]

    // MARK: Selectors

    /// Of every kind that has one; of NetworkChaos also those of its target.
    private static let selectors: [Sample] =
        selectors("NetworkChaos", loss, at: "selector") + selectors("NetworkChaos", loss, at: "target.selector")
        + selectors("PodChaos", "action: pod-kill\n", at: "selector")
        + selectors("StressChaos", "stressors: {cpu: {workers: 1}}\n", at: "selector")

    private static func selectors(_ kind: String, _ rest: String, at path: String) -> [Sample] {
        let parts: [(yaml: String, fields: [String], isRun: Bool)] = [
            ("namespaces: [a]", ["namespaces"], true),
            ("labelSelectors: {app: a}", ["labelSelectors"], true),
            (
                "expressionSelectors: [{key: app, operator: In, values: [a]}]",
                ["key", "operator", "values"].map { "expressionSelectors.\($0)" }, true
            ),
            ("podPhaseSelectors: [Running]", ["podPhaseSelectors"], true),
            ("pods: {a: [payment-0]}", ["pods"], true),
            ("annotationSelectors: {a: b}", ["annotationSelectors"], false),
            ("fieldSelectors: {metadata.name: a}", ["fieldSelectors"], false),
            ("nodeSelectors: {a: b}", ["nodeSelectors"], false),
            ("nodes: [a]", ["nodes"], false),
        ]
        return parts.map { yaml, fields, isRun in
            let own = path == "selector" ? yaml : ""
            let target = path == "selector" ? "" : "target: {mode: one, selector: {\(yaml)}}\n"
            return Sample(
                kind: kind, spec: "mode: one\n\(rest)selector: {\(own)}\n\(target)",
                fields: fields.map { "\(path).\($0)" }, refused: isRun ? nil : "\(path).\(fields[0])")
        }
    }

    // MARK: StressChaos and PodChaos

    private static func stress(_ spec: String, _ fields: [String], refused: String? = nil) -> Sample {
        Sample(
            kind: "StressChaos", spec: "mode: fixed\nvalue: \"1\"\nselector: {}\n" + spec, fields: fields,
            refused: refused)
    }

    private static let stress = [
        stress(
            "duration: 30s\nstressors: {cpu: {workers: 1, load: 50}}",
            ["mode", "value", "duration", "stressors.cpu.workers", "stressors.cpu.load"]),
        stress(
            "stressors: {memory: {workers: 1, size: 50%, oomScoreAdj: 5}}",
            ["workers", "size", "oomScoreAdj"].map { "stressors.memory.\($0)" }),
        stress("stressngStressors: --cpu 1", ["stressngStressors"]),
        stress("stressngStressors: --fork 1", ["stressngStressors"], refused: "stressngStressors"),
        // Chaos Mesh runs the words alone.
        stress(
            "stressngStressors: --cpu 1\nstressors: {cpu: {workers: 1}}", ["stressors.cpu.workers"],
            refused: "stressors"),
        stress("stressors: {cpu: {workers: 1}}\ncontainerNames: [payment]", ["containerNames"]),
        stress("stressors: {cpu: {workers: 1}}\nremoteCluster: east", ["remoteCluster"], refused: "remoteCluster"),
        stress(
            "stressors: {cpu: {workers: 1, options: [a]}}", ["stressors.cpu.options"],
            refused: "stressors.cpu.options"),
        stress(
            "stressors: {memory: {workers: 1, options: [a]}}", ["stressors.memory.options"],
            refused: "stressors.memory.options"),
    ]

    private static func pod(_ spec: String, _ fields: [String], refused: String? = nil) -> Sample {
        Sample(
            kind: "PodChaos", spec: "mode: fixed\nvalue: \"1\"\nselector: {}\n" + spec, fields: fields, refused: refused
        )
    }

    private static let pod = [
        pod("action: pod-failure\nduration: 30s", ["action", "mode", "value", "duration"]),
        pod("action: pod-kill\ngracePeriod: 5", ["gracePeriod"]),
        // Idle there, as in Chaos Mesh; the plan and the report say so.
        pod("action: pod-failure\ngracePeriod: 5", ["gracePeriod"]),
        pod("action: container-kill\ncontainerNames: [payment]", ["containerNames"]),
        pod("action: pod-kill\ncontainerNames: [payment]", ["containerNames"], refused: "containerNames"),
        pod("action: pod-kill\nremoteCluster: east", ["remoteCluster"], refused: "remoteCluster"),
    ]

    // MARK: Plans over time

    /// The field of each kind that a schedule or a template may hold, its name, and a spec of it.
    private static let bodies: [(field: String, kind: String, spec: String, isRun: Bool)] =
        [
            ("networkChaos", "NetworkChaos", "{mode: one, selector: {}, action: loss, loss: {loss: \"10\"}}", true),
            ("podChaos", "PodChaos", "{mode: one, selector: {}, action: pod-kill}", true),
            ("stressChaos", "StressChaos", "{mode: one, selector: {}, stressors: {cpu: {workers: 1}}}", true),
            ("httpChaos", "HTTPChaos", "{mode: one, selector: {}, target: Request, port: 80, abort: true}", false),
            (
                "ioChaos", "IOChaos",
                "{mode: one, selector: {}, action: latency, volumePath: /data, delay: 10ms}", false
            ),
        ]
        + [
            ("awsChaos", "AWSChaos"), ("azureChaos", "AzureChaos"), ("blockChaos", "BlockChaos"),
            ("dnsChaos", "DNSChaos"), ("gcpChaos", "GCPChaos"), ("jvmChaos", "JVMChaos"),
            ("kernelChaos", "KernelChaos"), ("physicalmachineChaos", "PhysicalMachineChaos"),
            ("timeChaos", "TimeChaos"),
        ].map { ($0, $1, "{a: b}", false) }

    /// The lab keeps the journal of every start, and no objects for a history to limit.
    private static let schedule =
        [
            Sample(
                kind: "Schedule",
                spec: """
                    schedule: "@every 1m"
                    concurrencyPolicy: Allow
                    historyLimit: 3
                    startingDeadlineSeconds: 5
                    type: Workflow
                    workflow: {entry: a, templates: [{name: a, templateType: Suspend, deadline: 1s}]}
                    """,
                fields: [
                    "schedule", "concurrencyPolicy", "historyLimit", "startingDeadlineSeconds", "type", "workflow",
                ])
        ]
        + bodies.map { body in
            Sample(
                kind: "Schedule", spec: "schedule: \"@every 1m\"\ntype: \(body.kind)\n\(body.field): \(body.spec)",
                fields: [body.field], refused: body.isRun ? nil : body.field)
        }

    private static func template(_ type: String, _ yaml: String, _ fields: [String], refused: String? = nil) -> Sample {
        let spec = """
            entry: all
            templates:
              - {name: all, templateType: Serial, children: [part]}
              - name: part
                templateType: \(type)
                deadline: 1m
                \(yaml)
            """
        return Sample(
            kind: "Workflow", spec: spec, fields: fields.map { "templates.\($0)" },
            refused: refused.map { "templates[1].\($0)" })
    }

    private static let workflow: [Sample] =
        [
            Sample(
                kind: "Workflow",
                spec: """
                    entry: all
                    templates:
                      - {name: all, templateType: Serial, deadline: 1m, children: [rest]}
                      - {name: rest, templateType: Suspend, deadline: 1s}
                    """,
                fields: ["entry"] + ["name", "templateType", "deadline", "children"].map { "templates.\($0)" }),
            template(
                "StatusCheck",
                "abortWithStatusCheck: true\n    statusCheck: "
                    + "{http: {url: \"http://payment-service:5002/health\", criteria: {statusCode: \"200\"}}}",
                ["abortWithStatusCheck", "statusCheck"]),
            template(
                "Schedule",
                "schedule: {schedule: \"@every 1m\", type: PodChaos, podChaos: \(bodies[1].spec)}", ["schedule"]),
            template("Task", "task: {container: {name: a, image: b}}", ["task"], refused: "task"),
            template(
                "Task", "conditionalBranches: [{target: all, expression: a}]", ["conditionalBranches"],
                refused: "conditionalBranches"),
        ]
        + bodies.map { body in
            template(
                body.kind, "\(body.field): \(body.spec)", [body.field], refused: body.isRun ? nil : body.field)
        }
}
