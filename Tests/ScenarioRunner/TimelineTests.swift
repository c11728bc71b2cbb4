import Experiments
import Foundation
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// What goes on over time, on an engine whose faults change nothing.
@Suite struct TimelineTests {
    private final class Notes: Sendable {
        let end = Mutex<FaultWork?>(nil)
        let all = Mutex<[String]>([])
        let modes = Mutex<[FailureModes]>([])
        var names: [String] { all.withLock { $0 } }
    }

    private let engine = FakeEngine()
    private let notes = Notes()

    private func timeline(answers status: Int? = 200, on base: FakeEngine? = nil) -> TimelineEngine {
        TimelineEngine(
            base: base ?? engine,
            tools: TimelineTools(
                setFailureModes: { [notes] modes in notes.modes.withLock { $0.append(modes) } },
                areModesFollowed: { true }, ask: { _ in status }))
    }

    private static func loss(_ field: String = "networkChaos") -> String {
        "\(field): {action: loss, mode: all, selector: {}, loss: {loss: \"80\"}}"
    }

    private func experiment(_ kind: String, _ spec: String) throws -> Experiment {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: plan}
            spec:
            \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """
        let contents = ManifestLoader.load(text, file: "plan.yaml")
        return try #require(contents.experiments.first, "\(contents.problems)")
    }

    private func workflow(_ templates: String) throws -> Experiment {
        try experiment("Workflow", "entry: all\ntemplates:\n" + templates)
    }

    /// Runs it to its own end, or until `stop` says so; how it ended stands in ``notes``.
    private func run(
        _ experiment: Experiment, _ engine: TimelineEngine, until stop: @escaping @Sendable () -> Bool = { false }
    ) async throws -> [DoseReading] {
        let fault = try await engine.inject(experiment, runID: "RUN", seed: 1)
        let notes = notes
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let ended = Latch()
            group.addTask {
                let end = await fault.work { name, detail in notes.all.withLock { $0.append("\(name) \(detail)") } }
                notes.end.withLock { $0 = end }
                ended.open()
            }
            try await eventually("the plan's end") { ended.isOpen || stop() }
            let readings = try await fault.readings()
            try await fault.remove()
            try await fault.remove()
            return readings
        }
    }

    /// Where the manifest says so, and the engine can; where its parts act is planned all the same.
    @Test func aWholeIsTheEnginesOwn() async throws {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: Workflow
            metadata: {name: plan, annotations: {payment-chaos.io/run-by: chaos-mesh}}
            spec:
              entry: loss
              templates: [{name: loss, templateType: NetworkChaos, deadline: 10ms, \(Self.loss())}]
            """
        let whole = try #require(ManifestLoader.load(text, file: "plan.yaml").experiments.first)
        let plan = try timeline().plan(whole, seed: 1)
        #expect(plan.places == [.replica("plan.loss")] && plan.steps.count == 1)
        let fault = try await timeline().inject(whole, runID: "RUN", seed: 1)
        #expect(engine.log == ["inject plan"])
        try await fault.remove()
    }

    @Test func aWorkflowGoesThroughItsTemplates() async throws {
        let spec = """
              - {name: all, templateType: Serial, children: [both, pause, last]}
              - {name: both, templateType: Parallel, children: [one, other]}
              - name: one
                templateType: NetworkChaos
                deadline: 50ms
                \(Self.loss())
              - name: other
                templateType: NetworkChaos
                deadline: 100ms
                \(Self.loss())
              - {name: pause, templateType: Suspend, deadline: 10ms}
              - name: last
                templateType: NetworkChaos
                deadline: 10ms
                \(Self.loss())
            """
        let readings = try await run(try workflow(spec), timeline())
        #expect(readings.count == 3 && notes.end.withLock { $0 } == .done)
        let log = engine.log
        #expect(Set(log.prefix(2)) == ["inject plan.one", "inject plan.other"])
        // Where the machine stands still for the time between their deadlines, both are due at once.
        #expect(Set(log.dropFirst(2).prefix(2)) == ["remove plan.one", "remove plan.other"])
        #expect(log.dropFirst(4) == ["inject plan.last", "remove plan.last"])
    }

    @Test func theDeadlineOfWhatHoldsAPartEndsIt() async throws {
        let spec = """
              - {name: all, templateType: Serial, deadline: 50ms, children: [long, never]}
              - name: long
                templateType: NetworkChaos
                deadline: 1h
                \(Self.loss())
              - name: never
                templateType: NetworkChaos
                deadline: 1h
                \(Self.loss())
            """
        _ = try await run(try workflow(spec), timeline())
        #expect(engine.log == ["inject plan.long", "remove plan.long"])
    }

    @Test func whatAPartLeavesBehindGoesAtTheEnd() async throws {
        let broken = FakeEngine(.init(injection: "no worker started", takingBack: "nft is busy"))
        let spec = "      - {name: all, templateType: NetworkChaos, deadline: 10ms, \(Self.loss())}"
        let fault = try await timeline(on: broken).inject(try workflow(spec), runID: "RUN", seed: 1)
        _ = await fault.work { _, _ in }
        await #expect(throws: StepFailure.self, "a part that failed is no dose") { try await fault.readings() }
        #expect(broken.inForce == 1)
        try await fault.remove()
        #expect(broken.log == ["inject plan.all", "remove plan.all"])
    }

    private func checkedFirst() throws -> Experiment {
        try workflow(
            """
              - {name: all, templateType: Serial, children: [check, fault]}
              - name: check
                templateType: StatusCheck
                abortWithStatusCheck: true
                statusCheck:
                  failureThreshold: 1
                  http: {url: http://payment-service:5002/health, criteria: {statusCode: "200-299"}}
              - name: fault
                templateType: NetworkChaos
                deadline: 10ms
                \(Self.loss())
            """)
    }

    @Test(arguments: [200, 503, nil])
    func aFailedCheckEndsTheWorkflow(status: Int?) async throws {
        _ = try await run(try checkedFirst(), timeline(answers: status))
        #expect(engine.log.isEmpty == (status != 200))
        #expect(notes.end.withLock { $0 } == (status == 200 ? .done : .aborted("the status check check failed")))
    }

    @Test func whatIsInForceGoesWithTheCheckThatFails() async throws {
        let spec = """
              - {name: all, templateType: Parallel, children: [fault, check, other]}
              - {name: fault, templateType: NetworkChaos, deadline: 1h, \(Self.loss())}
              - name: check
                templateType: StatusCheck
                abortWithStatusCheck: true
                statusCheck: {failureThreshold: 1, http: {url: "http://a/", criteria: {statusCode: "200"}}}
              - name: other
                templateType: StatusCheck
                abortWithStatusCheck: true
                statusCheck: {successThreshold: 99, http: {url: "http://a/", criteria: {statusCode: "503"}}}
            """
        let otherHasAsked = Latch()
        let timeline = TimelineEngine(
            base: engine,
            tools: TimelineTools(
                setFailureModes: { _ in }, areModesFollowed: { true },
                ask: { check in
                    if check.successThreshold == 99 { otherHasAsked.open() } else { await otherHasAsked.wait() }
                    return 503
                }))
        _ = try await run(try workflow(spec), timeline)
        #expect(notes.end.withLock { $0 } == .aborted("the status check check failed") && engine.inForce == 0)
        #expect(notes.names.contains("status_check other was broken off"), "\(notes.names)")
    }

    /// With time for the fault that nobody waits for.
    @Test(arguments: [0, 20])
    func theRunEndsAtOnceAndNamesTheCheck(rate: Int) async throws {
        var options = RunnerLab.Options()
        options.otherEngine = timeline(answers: 503)
        let experiment = try checkedFirst()
        try await RunnerLab.run(options) { lab in
            let request = RunRequest(
                experiment: experiment, origin: .commandLine, baseline: .milliseconds(30), duration: .seconds(600),
                recovery: .seconds(600), rate: rate, seed: 7)
            let (view, journal) = try await lab.ended(try lab.manager.start(request).id)
            #expect(
                view.verdict == .aborted && view.reasons.first == "the status check check failed", "\(view.reasons)")
            #expect(journal.events.contains { $0.name == "status_check" && $0.detail == "check failed" })
            #expect(lab.manager.rateLimitStatus.activeExperiments == 0)
        }
    }

    @Test func removingItEndsWhatIsInForce() async throws {
        let engine = engine
        let spec = "  - name: all\n    templateType: NetworkChaos\n    deadline: 1h\n    \(Self.loss())"
        _ = try await run(try workflow(spec), timeline()) { engine.inForce == 1 }
        #expect(engine.log == ["inject plan.all", "remove plan.all"])
        #expect(notes.end.withLock { $0 } == .goesOn, "it was ended, and did not end itself")
    }

    @Test func aScheduleStartsAgainAndAgainAndNeverTwiceAtOnce() async throws {
        let engine = engine
        let spec = """
            schedule: "@every 1s"
            concurrencyPolicy: Forbid
            type: NetworkChaos
            networkChaos: {action: loss, mode: all, selector: {}, loss: {loss: "80"}, duration: 1500ms}
            """
        let notes = notes
        _ = try await run(try experiment("Schedule", spec), timeline()) {
            engine.log.count { $0.hasPrefix("inject") } >= 2
                && notes.names.contains { $0.hasPrefix("start_left_out") }
        }
        #expect(engine.log.prefix(3).map { String($0.prefix(6)) } == ["inject", "remove", "inject"])
        #expect(engine.inForce == 0)
    }

    @Test func failureModesComeAndGo() async throws {
        let text = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: plan, labels: {payment-chaos.io/kind: failure-modes}}
            data:
              duration: 100ms
              steps: |
                0s    card-decline 20%
                50ms  gateway-timeout 30% delay 5s before-charge
            """
        let experiment = try #require(ManifestLoader.load(text, file: "plan.yaml").experiments.first)
        let readings = try await run(experiment, timeline())
        #expect(readings == [.steps(asked: 2, done: 2)])
        let modes = notes.modes.withLock { $0 }
        #expect(modes.map(\.cardDeclineEnabled) == [true, false, false])
        #expect(modes.map(\.gatewayTimeoutEnabled) == [false, true, false] && modes.last == .off)
    }

    @Test func aPartThatCannotBeRunRefusesTheWhole() throws {
        let spec = """
              - {name: all, templateType: Serial, children: [disk]}
              - name: disk
                templateType: IOChaos
                deadline: 1m
                ioChaos: {action: latency, mode: all, selector: {}, volumePath: /data, delay: 10ms}
            """
        let refusal = try #require(timeline().refusal(of: try workflow(spec)))
        #expect(refusal.reason.contains("cluster"))
        #expect(throws: Refusal.self) { try timeline().plan(try workflow(spec), seed: 1) }
    }

    @Test func partsThatFollowEachOtherAreAsWideAsTheWidest() throws {
        let one = "templateType: NetworkChaos\n    deadline: 1s\n    \(Self.loss())"
        func plan(_ group: String) throws -> FaultPlan {
            try timeline().plan(
                try workflow(
                    "  - {name: all, templateType: \(group), children: [a, b]}\n  - name: a\n    \(one)\n"
                        + "  - name: b\n    \(one)"), seed: 1)
        }
        #expect(try plan("Serial").replicas.count == 1 && plan("Parallel").replicas.count == 2)
        #expect(try plan("Serial").places.count == 2 && plan("Serial").steps.count == 2)
    }
}
