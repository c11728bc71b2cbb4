import Experiments
import Foundation
import Load
import Shared
import Synchronization
import Verdict

/// Collects what happens in one run, and makes its journal.
final class RunRecorder: Sendable {
    let id: String
    private let request: RunRequest
    private let engine: String
    private let resilience: ResilienceSettings
    private let site: RunSite
    private let startedAt = UnixTime.now
    private let window = LiveWindow()

    fileprivate struct State {
        var samples = SampleLog()
        var backlog: [BacklogSample] = []
        var phases: PhaseClock
        var begun: [RunPhase: UInt64] = [:]
        var current: RunPhase?
        var removedNs: UInt64?
        var readings: [DoseReading] = []
        var summary = ""
        var errors: [String] = []
        var events: [Journal.Event] = []
        var money = MoneyCheck.notMade
        var load: LoadFacts?
        var plan: FaultPlan?
    }
    private let state: Mutex<State>

    /// - Parameters:
    ///   - resilience: in force in the services while the run lasts.
    ///   - plan: where the fault will act; nil when it is not known.
    init(
        id: String, request: RunRequest, engine: String, resilience: ResilienceSettings, site: RunSite, plan: FaultPlan?
    ) {
        self.id = id
        self.request = request
        self.engine = engine
        self.resilience = resilience
        self.site = site
        state = Mutex(State(phases: PhaseClock(startNs: MonotonicClock.nowNs()), plan: plan))
    }

    /// What the run is doing.
    var phase: RunPhase? { state.withLock { $0.current } }

    // MARK: What happens

    func add(_ sample: RequestSample) {
        window.add(sample)
        state.withLock { $0.samples.append(sample) }
    }

    func takeSecond() -> (second: LiveWindow.Second, part: MeasuredPart) {
        window.take(runID: id, phase: phase)
    }

    func begin(_ phase: RunPhase) {
        let now = MonotonicClock.nowNs()
        state.withLock { state in
            state.current = phase
            // The recovery begins when the fault is gone, not when somebody starts to wait for its end.
            if state.begun[phase] == nil { state.begun[phase] = now }
            if phase == .recovery, state.removedNs == nil { state.removedNs = now }
        }
    }

    func end(_ phase: RunPhase) {
        let now = MonotonicClock.nowNs()
        state.withLock { state in
            guard let name = phase.name, let begin = state.begun[phase] else { return }
            state.phases.set(name, from: begin, to: now)
        }
    }

    func inForce(_ summary: String) {
        begin(.fault)
        note("fault_in_force", summary)
        state.withLock { $0.summary = summary }
    }

    func add(_ glance: BacklogGlance) {
        let now = MonotonicClock.nowNs()
        state.withLock { state in
            state.backlog.append(
                BacklogSample(
                    t: state.seconds(at: now), pendingPayments: glance.pendingPayments, outbox: glance.outbox))
        }
    }

    func read(_ readings: [DoseReading]) { state.withLock { $0.readings = readings } }

    /// What the clients were told about their payments.
    var operations: [PaymentOperation] { state.withLock { $0.samples }.all.compactMap(PaymentOperation.init) }

    /// - Parameter facts: what the load generator says of its work; nil when it was killed.
    func loaded(_ facts: LoadFacts?) { state.withLock { $0.load = facts } }

    func checked(_ money: MoneyCheck) {
        note("money_checked", money.notChecked ?? "\(money.violationCount) violations in \(money.checked) payments")
        state.withLock { $0.money = money }
    }

    func failed(_ reason: String) {
        note("failed", reason)
        state.withLock { $0.errors.append(reason) }
    }

    var hasFailed: Bool { state.withLock { !$0.errors.isEmpty } }

    func note(_ name: String, _ detail: String) {
        let now = MonotonicClock.nowNs()
        state.withLock { state in
            state.events.append(Journal.Event(t: state.seconds(at: now), name: name, detail: detail))
        }
    }

    // MARK: The journal

    /// - Parameter stopped: who ended the run early; nil when it ran to its end.
    func journal(stopped: String?) -> Journal {
        let state = state.withLock { $0 }
        let analysis = RunAnalysis(input(state))
        let evidence = evidence(state, analysis, stopped: stopped)
        let decision = request.isMeasured ? VerdictRules.decide(evidence) : unmeasured(evidence)
        var journal = document(state, analysis, decision)
        if request.isMeasured { journal.expected = evidence.expected }
        return journal
    }

    /// As the run stands now: what is left of it should the runner end before it does.
    func unfinishedJournal() -> Journal {
        let now = MonotonicClock.nowNs()
        var state = state.withLock { $0 }
        if let phase = state.current, let name = phase.name, let begin = state.begun[phase],
            state.phases.windows[name] == nil
        {
            state.phases.set(name, from: begin, to: now)
        }
        let analysis = RunAnalysis(input(state), isComplete: false)
        return document(state, analysis, (.aborted, ["the runner ended before the run did"]))
    }

    private func input(_ state: State) -> RunAnalysis.Input {
        RunAnalysis.Input(
            samples: state.samples.all, clock: state.phases, startedAt: startedAt.seconds, removedNs: state.removedNs,
            topology: site.topology, backlog: state.backlog, seed: request.seed)
    }

    private func evidence(_ state: State, _ analysis: RunAnalysis, stopped: String?) -> VerdictRules.Evidence {
        func phase(_ name: PhaseName) -> PhaseSummary? { analysis.phases.first { $0.name == name } }
        var evidence = VerdictRules.Evidence()
        evidence.stopped = state.errors.isEmpty ? stopped : nil
        evidence.failure = state.errors.isEmpty ? nil : state.errors.joined(separator: "; ")
        evidence.dose = Dose.combining(state.readings.map(Dose.init))
        evidence.baseline = phase(.baseline)
        evidence.fault = phase(.fault)
        evidence.recovery = phase(.recovery)
        evidence.recoveryTimeMs = analysis.recovery.timeToRecoverMs
        evidence.isMetastable = analysis.recovery.metastable
        evidence.money = state.money
        evidence.hypothesis = request.hypothesis
        return evidence
    }

    private func document(
        _ state: State, _ analysis: RunAnalysis, _ decision: (verdict: Verdict, reasons: [String])
    ) -> Journal {
        var journal = Journal(
            runID: id, experiment: request.experiment.name, verdict: decision.verdict, reasons: decision.reasons,
            seed: request.seed, startedAt: startedAt.seconds, engine: engine, input: RunInput(request, resilience),
            machine: site.machine)
        journal.fault = state.summary
        journal.doctor = site.doctor
        journal.topology = site.topology(broken: state.plan, label: request.experiment.effectiveDoseText)
        journal.phases = analysis.phases
        journal.series = analysis.series
        journal.effects = analysis.effects
        journal.degradation = Degradation(baseline: journal.phase(.baseline), fault: journal.phase(.fault))
        journal.replicas = analysis.replicas
        journal.replicaFindings = analysis.replicaFindings
        journal.dose = Dose.combining(state.readings.map(Dose.init))
        journal.recovery = analysis.recovery
        journal.money = state.money
        journal.load = state.load
        journal.events = state.events
        return journal
    }

    /// The verdict of a trigger without load: only the dose can be judged.
    private func unmeasured(_ evidence: VerdictRules.Evidence) -> (Verdict, [String]) {
        if let failure = evidence.failure { return (.invalid, [failure]) }
        if let stopped = evidence.stopped { return (.aborted, [stopped]) }
        guard let dose = evidence.dose, dose.effective else {
            return (.invalid, ["the dose is not what was asked: \(evidence.dose?.detail ?? "nothing is known of it")"])
        }
        return (.held, ["the dose was delivered", "no load was put on the system, so no impact was measured"])
    }
}

extension RunRecorder.State {
    /// Seconds from the start of the run, to the millisecond.
    fileprivate func seconds(at instant: UInt64) -> Double {
        (Double(instant - phases.startNs) / 1e6).rounded() / 1000
    }
}

/// The samples of a run in chunks, so that a copy of them costs the next one that is added a chunk and not the whole.
struct SampleLog: Sendable {
    private static let chunk = 1024

    private var full: [[RequestSample]] = []
    private var last: [RequestSample] = []

    mutating func append(_ sample: RequestSample) {
        last.append(sample)
        guard last.count == Self.chunk else { return }
        full.append(last)
        last = []
    }

    var all: [RequestSample] {
        var samples: [RequestSample] = []
        samples.reserveCapacity(full.count * Self.chunk + last.count)
        for chunk in full { samples += chunk }
        return samples + last
    }
}

extension RunInput {
    fileprivate init(_ request: RunRequest, _ resilience: ResilienceSettings) {
        let experiment = request.experiment
        self.init(
            baselineS: request.baseline.seconds, durationS: request.duration.seconds,
            recoveryS: request.recovery.seconds, rateRps: Double(request.rate),
            profile: request.profile == .usual ? nil : request.profile.name, arrivals: request.arrivals.rawValue,
            resilience: "\(resilience)",
            hypothesis: request.hypothesis?.description,
            stopConditions: request.stopConditions.map(\.description), origin: request.origin.rawValue,
            // A manifest was read from YAML, so it can be written as such; were it not, the run would still count.
            manifest: (try? experiment.manifest.yaml) ?? "")
    }
}

extension RunPhase {
    /// The phase as the journal names it; nil for what it does not report.
    fileprivate var name: PhaseName? {
        switch self {
        case .warmUp: .warmUp
        case .baseline: .baseline
        case .fault: .fault
        case .recovery: .recovery
        case .settle: nil
        }
    }
}
