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
    private let site: RunSite
    private let clock = MonotonicLoadClock()
    private let startedAt = UnixTime.now
    private let window = LiveWindow()

    private struct State {
        var samples: [RequestSample] = []
        var phases: PhaseClock
        var begun: [RunPhase: UInt64] = [:]
        var current: RunPhase?
        var removedNs: UInt64?
        var readings: [DoseReading] = []
        var summary = ""
        var errors: [String] = []
        var events: [Journal.Event] = []
        var money = MoneyCheck.notMade
        var plan: FaultPlan?
    }
    private let state: Mutex<State>

    /// - Parameter plan: where the fault will act; nil when it is not known.
    init(id: String, request: RunRequest, engine: String, site: RunSite, plan: FaultPlan?) {
        self.id = id
        self.request = request
        self.engine = engine
        self.site = site
        state = Mutex(State(phases: PhaseClock(startNs: clock.nowNs()), plan: plan))
    }

    // MARK: What happens

    func add(_ sample: RequestSample) {
        window.add(sample)
        state.withLock { $0.samples.append(sample) }
    }

    func takeSecond() -> (second: LiveWindow.Second, part: MeasuredPart) {
        window.take(runID: id, phase: state.withLock { $0.current })
    }

    func begin(_ phase: RunPhase) {
        let now = clock.nowNs()
        state.withLock { state in
            state.current = phase
            // The recovery begins when the fault is gone, not when somebody starts to wait for its end.
            if state.begun[phase] == nil { state.begun[phase] = now }
            if phase == .recovery, state.removedNs == nil { state.removedNs = now }
        }
    }

    func end(_ phase: RunPhase) {
        let now = clock.nowNs()
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

    func read(_ readings: [DoseReading]) { state.withLock { $0.readings = readings } }

    /// What the clients were told about their payments.
    var operations: [PaymentOperation] { state.withLock { $0.samples }.compactMap(PaymentOperation.init) }

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
        let now = clock.nowNs()
        state.withLock { state in
            let t = Double(now - state.phases.startNs) / 1e9
            state.events.append(Journal.Event(t: (t * 1000).rounded() / 1000, name: name, detail: detail))
        }
    }

    // MARK: The journal

    /// - Parameter stopped: who ended the run early; nil when it ran to its end.
    func journal(stopped: String?) -> Journal {
        let state = state.withLock { $0 }
        let dose = Dose.combining(state.readings.map(Dose.init))
        let phases = PhaseSummary.all(state.samples, state.phases, startedAt: startedAt.seconds)
        let baseline = phases.first { $0.name == .baseline }
        let fault = phases.first { $0.name == .fault }

        var evidence = VerdictRules.Evidence()
        evidence.stopped = state.errors.isEmpty ? stopped : nil
        evidence.failure = state.errors.isEmpty ? nil : state.errors.joined(separator: "; ")
        evidence.dose = dose
        evidence.baseline = baseline
        evidence.recoveryTimeMs = recoveryTimeMs(state, baseline)
        evidence.money = state.money
        evidence.hypothesis = request.experiment.hypothesis
        evidence.fault = fault
        evidence.recovery = phases.first { $0.name == .recovery }
        let (verdict, reasons) = request.isMeasured ? VerdictRules.decide(evidence) : unmeasured(evidence)

        var journal = Journal(
            runID: id, experiment: request.experiment.name, verdict: verdict, reasons: reasons, seed: request.seed,
            startedAt: startedAt.seconds, engine: engine, input: RunInput(request), machine: site.machine)
        journal.fault = state.summary
        journal.doctor = site.doctor
        journal.topology = site.topology(broken: state.plan, label: request.experiment.effectiveDoseText)
        journal.phases = phases
        journal.series = SeriesPoint.series(state.samples, state.phases)
        journal.degradation = Degradation(baseline: baseline, fault: fault)
        journal.replicas = ReplicaSummary.all(state.samples, state.phases, journal.topology)
        journal.dose = dose
        journal.recovery = RecoveryFacts(timeToRecoverMs: evidence.recoveryTimeMs)
        if request.isMeasured { journal.expected = evidence.expected }
        journal.money = state.money
        journal.events = state.events
        return journal
    }

    private func recoveryTimeMs(_ state: State, _ baseline: PhaseSummary?) -> Int? {
        guard let baseline, let removed = state.removedNs, let window = state.phases.windows[.recovery] else {
            return nil
        }
        return Recovery(baseline: baseline).timeMs(state.samples, removedNs: removed, endNs: window.upperBound)
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

extension RunInput {
    fileprivate init(_ request: RunRequest) {
        let experiment = request.experiment
        self.init(
            baselineS: request.baseline.seconds, durationS: request.duration.seconds,
            recoveryS: request.recovery.seconds, rateRps: Double(request.rate),
            hypothesis: experiment.hypothesis?.description,
            stopConditions: experiment.stopConditions.map(\.description), origin: request.origin.rawValue,
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
