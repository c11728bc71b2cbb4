import Experiments
import Shared
import Testing

/// Schedules, workflows, status checks and failure modes.
@Suite struct PlanTests {
    private func contents(_ kind: String, _ spec: String) -> ManifestLoader.Contents {
        ManifestLoader.load(
            """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: x, namespace: payment-chaos}
            spec:
            \(spec)
            """, file: "x.yaml")
    }

    private static let stress = "{mode: all, selector: {}, stressors: {cpu: {workers: 1}}}"

    @Test func readsEveryFieldOfASchedule() throws {
        let read = contents(
            "Schedule",
            """
              schedule: "@every 5m"
              type: StressChaos
              concurrencyPolicy: Allow
              historyLimit: 3
              startingDeadlineSeconds: 30
              stressChaos: \(Self.stress)
            """)
        let experiment = try #require(read.experiments.first)
        guard case .schedule(let schedule) = experiment.spec else { throw Failure.wrongKind }
        #expect(schedule.schedule.description == "@every 5m")
        #expect(schedule.concurrencyPolicy == .allow)
        #expect(schedule.historyLimit == 3)
        #expect(schedule.startingDeadlineSeconds == 30)
        #expect(schedule.type == "StressChaos" && schedule.bodyField == "stressChaos")
        guard case .stress(let stress) = schedule.bodySpec else { throw Failure.wrongKind }
        #expect(stress.target.selector.namespaces == ["payment-chaos"])
        #expect(experiment.duration == nil)
        #expect(
            experiment.effectiveDoseText == "at \"@every 5m\" (UTC): asks for 1 cores (1 workers at 100 %) in "
                + "everything in payment-chaos")

        let part = experiment.part(schedule.bodySpec, kind: schedule.type, at: schedule.bodyField, named: "x.1")
        #expect(part.name == "x.1" && part.kind == "StressChaos")
        let refusal = part.refusal("spec.stressors.cpu", "no")
        #expect(refusal.field == "spec.stressChaos.stressors.cpu" && refusal.line == 10)
    }

    @Test(
        arguments: [
            ("schedule: \"* * *\"\n  type: StressChaos\n  stressChaos: \(stress)", "spec.schedule"),
            ("type: StressChaos\n  stressChaos: \(stress)", "spec.schedule"),
            ("schedule: \"@daily\"\n  stressChaos: \(stress)", "spec.type"),
            ("schedule: \"@daily\"\n  type: FoodChaos", "spec.type"),
            ("schedule: \"@daily\"\n  type: StressChaos", "spec.stressChaos"),
            ("schedule: \"@daily\"\n  type: PodChaos\n  stressChaos: \(stress)", "spec.stressChaos"),
            (
                "schedule: \"@daily\"\n  type: StressChaos\n  historyLimit: 0\n  stressChaos: \(stress)",
                "spec.historyLimit"
            ),
            ("schedule: \"@daily\"\n  type: Workflow\n  workflow: {entry: a}", "spec.workflow.templates"),
            (
                "schedule: \"@daily\"\n  type: StressChaos\n  concurrencyPolicy: Replace\n  stressChaos: \(stress)",
                "spec.concurrencyPolicy"
            ),
            (
                "schedule: \"@daily\"\n  type: StressChaos\n  stressChaos: {mode: all, selector: {}}",
                "spec.stressChaos.stressors"
            ),
        ])
    func refusesOtherSchedules(spec: String, field: String) {
        #expect(contents("Schedule", "  \(spec)").problems.map(\.field) == [field])
    }

    private static let workflow = """
          entry: all
          templates:
            - name: all
              templateType: Serial
              deadline: 10m
              children: [low, both, rest]
            - name: low
              templateType: StressChaos
              deadline: 3m
              stressChaos: \(stress)
            - name: both
              templateType: Parallel
              children: [low, check, kills]
            - name: rest
              templateType: Suspend
              deadline: 30s
            - name: check
              templateType: StatusCheck
              deadline: 1m
              abortWithStatusCheck: true
              statusCheck:
                mode: Continuous
                type: HTTP
                intervalSeconds: 2
                http:
                  url: http://payment-service:5002/health
                  headers: {Accept: [application/json, "*/*"]}
                  criteria: {statusCode: "200-299"}
            - name: kills
              templateType: Schedule
              deadline: 2m
              schedule:
                schedule: "@every 20s"
                type: PodChaos
                podChaos: {action: pod-kill, mode: one, selector: {}}
        """

    @Test func readsEveryFieldOfAWorkflow() throws {
        let read = contents("Workflow", Self.workflow)
        #expect(read.problems == [])
        let experiment = try #require(read.experiments.first)
        guard case .workflow(let workflow) = experiment.spec else { throw Failure.wrongKind }
        #expect(
            workflow.templates.map(\.type) == [
                "Serial", "StressChaos", "Parallel", "Suspend", "StatusCheck", "Schedule",
            ])
        #expect(workflow.template(named: "all")?.children == ["low", "both", "rest"])
        guard case .statusCheck(let check, let aborts)? = workflow.template(named: "check")?.body else {
            throw Failure.wrongKind
        }
        #expect(aborts && check.mode == .continuous && check.method == .get)
        #expect(check.intervalSeconds == 2 && check.timeoutSeconds == 1)
        #expect(check.failureThreshold == 3 && check.successThreshold == 1 && check.recordsHistoryLimit == 100)
        #expect(check.statusCodes == 200...299)
        #expect(check.headers == ["Accept": ["application/json", "*/*"]])
        #expect(workflow.longest == .seconds(180 + 180 + 30), "serial adds up, parallel is the longest")
        #expect(experiment.duration == .seconds(390))
        #expect(experiment.effectiveDoseText.contains("(3m), then [asks for"))
        #expect(
            experiment.effectiveDoseText.contains(
                "asks http://payment-service:5002/health every 2 s for 200-299 (1m), and ends the workflow if not"))
        #expect(experiment.targetText == "everything in payment-chaos; one of everything in payment-chaos")
    }

    /// Each row changes the workflow above, and names the field and the line of the refusal.
    @Test(arguments: [
        ("entry: all", "entry: none", "spec.entry", 5),
        ("children: [low, both, rest]", "children: [low, bath]", "spec.templates[0].children", 10),
        ("children: [low, both, rest]", "children: []", "spec.templates[0].children", 10),
        ("children: [low, check, kills]", "children: [all]", "spec.templates[0].children", 10),
        ("name: rest", "name: low", "spec.templates[3].name", 18),
        ("name: rest", "name: Rest", "spec.templates[3].name", 18),
        ("deadline: 30s", "children: [low]", "spec.templates[3].children", 20),
        ("      deadline: 30s\n", "", "spec.templates[3].deadline", 18),
        ("deadline: 3m", "conditionalBranches: []", "spec.templates[1].conditionalBranches", 13),
        ("templateType: Suspend", "templateType: Sleep", "spec.templates[3].templateType", 19),
        ("stressors: {cpu", "duration: 3m, stressors: {cpu", "spec.templates[1].stressChaos.duration", 14),
        ("url: http://", "url: ftp://", "spec.templates[4].statusCheck.http.url", 30),
        (
            "statusCode: \"200-299\"", "statusCode: \"2xx\"", "spec.templates[4].statusCheck.http.criteria.statusCode",
            32
        ),
        ("intervalSeconds: 2", "intervalSeconds: 0", "spec.templates[4].statusCheck.intervalSeconds", 28),
        ("abortWithStatusCheck: true", "abortWithStatusCheck: \"yes\"", "spec.templates[4].abortWithStatusCheck", 24),
        ("type: PodChaos", "type: Workflow", "spec.templates[5].schedule.type", 38),
        ("action: pod-kill", "action: pod-kil", "spec.templates[5].schedule.podChaos.action", 39),
    ])
    func refusesOtherWorkflows(good: String, bad: String, field: String, line: Int) throws {
        #expect(Self.workflow.contains(good))
        let read = contents("Workflow", Self.workflow.replacing(good, with: bad, maxReplacements: 1))
        let problem = try #require(read.problems.first)
        #expect(problem.field == field)
        #expect(problem.line == line, "\(problem)")
    }

    @Test func aWorkflowHasAnEnd() {
        func workflow(levels: Int, children: Int) -> String {
            var text = "  entry: t0\n  templates:\n"
            for level in 0..<levels {
                let names = Array(repeating: "t\(level + 1)", count: children).joined(separator: ", ")
                text += "    - {name: t\(level), templateType: Serial, children: [\(names)]}\n"
            }
            return text + "    - {name: t\(levels), templateType: Suspend, deadline: 1s}\n"
        }
        #expect(contents("Workflow", workflow(levels: 15, children: 1)).problems == [])
        #expect(
            contents("Workflow", workflow(levels: 16, children: 1)).problems.map(\.field) == [
                "spec.templates[0].children"
            ])
        #expect(contents("Workflow", workflow(levels: 7, children: 2)).problems == [])
        #expect(contents("Workflow", workflow(levels: 8, children: 2)).problems.map(\.field) == ["spec.entry"])
        #expect(contents("Workflow", workflow(levels: 15, children: 50)).problems.map(\.field) == ["spec.entry"])
        #expect(contents("Workflow", workflow(levels: 120, children: 1)).problems.map(\.field) == ["spec.templates"])
    }

    private func configMap(_ data: String, label: String = "failure-modes") -> ManifestLoader.Contents {
        ManifestLoader.load(
            """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: brown-out
              labels: {payment-chaos.io/kind: \(label)}
            data:
            \(data)
            """, file: "x.yaml")
    }

    @Test func readsFailureModesOverTime() throws {
        let read = configMap(
            """
              duration: 3m
              steps: |
                # at   modes
                10s    gateway-timeout 20.5% delay 3s before-charge

                1m     gateway-timeout 60%, card-decline 20%   # the worst
                2m     stolen-card 100%
                2m30s  off
            """)
        #expect(read.problems == [])
        let experiment = try #require(read.experiments.first)
        #expect(experiment.kind == "FailureModes" && experiment.name == "brown-out")
        #expect(experiment.duration == .seconds(180))
        guard case .failureModes(let modes) = experiment.spec else { throw Failure.wrongKind }
        #expect(modes.steps.map(\.offset) == [.seconds(10), .seconds(60), .seconds(120), .seconds(150)])
        #expect(modes.modes(at: .seconds(9)) == .off)
        let first = modes.modes(at: .seconds(10))
        #expect(first.gatewayTimeoutEnabled && first.gatewayTimeoutProbability == 20.5)
        #expect(first.gatewayTimeoutDelay == 3 && first.gatewayTimeoutPhase == .beforeCharge)
        let worst = modes.modes(at: .seconds(119))
        #expect(worst.gatewayTimeoutProbability == 60 && worst.gatewayTimeoutDelay == 10)
        #expect(
            worst.gatewayTimeoutPhase == .afterCharge && worst.cardDeclineEnabled && worst.cardDeclineProbability == 20)
        #expect(modes.modes(at: .seconds(149)).stolenCardProbability == 100)
        #expect(!modes.modes(at: .seconds(149)).gatewayTimeoutEnabled)
        #expect(modes.modes(at: .seconds(150)) == .off && modes.modes(at: .seconds(500)) == .off)
        #expect(
            experiment.effectiveDoseText
                == "10s: gateway-timeout 20.5% delay 3s before-charge; 1m: gateway-timeout 60% delay 10s after-charge, "
                + "card-decline 20%; 2m: stolen-card 100%; 2m30s: off; ends at 3m")
    }

    @Test(arguments: [
        ("gateway-timeout 20%", "no offset"), ("5 gateway-timeout 20%", "no offset"), ("5s", "no mode"),
        ("5s gateway-timeout", "no share"), ("5s gateway-timeout 20", "no percent"),
        ("5s gateway-timeout 101%", "too much"), ("5s gateway-timeout 20% delay 61s", "too long"),
        ("5s gateway-timeout 20% delay", "no delay"), ("5s gateway-timeout 20% never", "no phase"),
        ("5s gateway-timeout 20% after-charge delay 5s", "wrong order"),
        ("5s card-decline 20% delay 5s", "no delay here"),
        ("5s slow 20%", "no such mode"), ("5s off, card-decline 5%", "off and on"), ("5s off 5%", "off is off"),
        ("5s card-decline 5%, card-decline 6%", "twice"), ("5s card-decline 5%,", "empty"), ("0s off", "not after"),
        ("60s off", "over"),
    ])
    func refusesOtherSteps(step: String, why: String) throws {
        let read = configMap("  duration: 1m\n  steps: |\n    0s card-decline 1%\n    \(step)\n    59s off")
        let problem = try #require(read.problems.first, "\(why)")
        #expect(problem.field == "data.steps" && problem.line == 10, "\(why): \(problem)")
    }

    @Test func aConfigMapNeedsItsLabelAndItsData() {
        let steps = "  steps: |\n    0s off"
        #expect(configMap("  duration: 1m\n\(steps)").problems == [])
        #expect(configMap("  duration: 1m\n\(steps)", label: "other").problems.map(\.field) == ["metadata.labels"])
        #expect(configMap(steps).problems.map(\.field) == ["data.duration"])
        #expect(configMap("  duration: 1m").problems.map(\.field) == ["data.steps"])
        #expect(configMap("  duration: 1m\n  steps: |\n    # nothing").problems.map(\.field) == ["data.steps"])
        #expect(configMap("  duration: 1m\n  other: a\n\(steps)").problems.map(\.field) == ["data.other"])
    }
}
