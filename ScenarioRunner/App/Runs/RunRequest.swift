import Experiments
import Foundation
import Load
import Shared

/// One run, as it was asked for and with every default filled in.
struct RunRequest: Sendable {
    /// Who asked. The cooldown holds for the page and the API; the command line keeps only the limit of places.
    enum Origin: String, Codable, Sendable {
        case page, api
        case commandLine = "command-line"

        var coolsDown: Bool { self != .commandLine }
    }

    let experiment: Experiment
    let origin: Origin
    let baseline: Duration
    let duration: Duration
    let recovery: Duration
    /// Requests a second through all phases; 0 puts no load on the system and measures no impact.
    let rate: Int
    let seed: UInt64
    /// What the load asks for.
    var profile = LoadProfile.usual
    var arrivals = ArrivalSchedule.Arrivals.constant
    /// How the services guard themselves while the run lasts; nil leaves it as it is.
    var resilience: ResilienceSettings?
    /// Takes the place of the experiment's hypothesis; nil leaves it.
    var expect: Hypothesis?
    /// Takes the place of the experiment's stop conditions; nil leaves them.
    var stopWhen: [StopCondition]?

    var hypothesis: Hypothesis? { expect ?? experiment.hypothesis }
    var stopConditions: [StopCondition] { stopWhen ?? experiment.stopConditions }

    static let defaultBaseline = Duration.seconds(10)
    static let defaultDuration = Duration.seconds(30)
    static let defaultRecovery = Duration.seconds(20)
    static let defaultRate = 20
    /// A trigger without measurement takes the manifest's duration, or this one.
    static let defaultTriggerDuration = Duration.seconds(60)
    private static let roomForParts = Duration.seconds(60)

    /// Load before the baseline that is not measured: first connections, caches, lazy set-up.
    static let warmUp = Duration.seconds(3)

    /// Seeds that are chosen: those that a JSON reader with 64-bit floating-point numbers keeps exact.
    static let seeds: ClosedRange<UInt64> = 0...(1 << 53 - 1)

    /// How long a measured run keeps the fault when nobody says: long enough to see it, or all of a plan over time.
    static func usualDuration(of experiment: Experiment) -> Duration {
        lastsAsPlanned(experiment) ? triggerDuration(of: experiment) : defaultDuration
    }

    /// Whether it is a plan over time, which is kept until its end unless somebody says otherwise.
    static func lastsAsPlanned(_ experiment: Experiment) -> Bool {
        switch experiment.spec {
        case .workflow, .schedule, .failureModes: true
        default: false
        }
    }

    /// How long a fault without measurement lasts: as its manifest says; a schedule until its first start is over.
    static func triggerDuration(of experiment: Experiment, at now: Date = Date()) -> Duration {
        var duration = experiment.duration ?? defaultTriggerDuration
        // Its parts take time to be put in force; the run goes on as soon as the last one is over.
        if case .workflow = experiment.spec { duration += roomForParts }
        if case .schedule(let spec) = experiment.spec, let first = spec.schedule.next(after: now) {
            let part = Timeline.part(spec, in: experiment)
            duration = .seconds(first.timeIntervalSince(now)) + (part.duration ?? TimelineFault.defaultDuration)
        }
        return min(duration, RunLimits.longestFault)
    }

    /// Whether load is put on the system and the impact measured.
    var isMeasured: Bool { rate > 0 }

    /// A fault without measurement is put on the system as it is.
    var setsResilience: Bool { isMeasured && resilience != nil }

    /// Everything from the first request to the last, for the lease of its place and for what it can sell.
    var totalDuration: Duration {
        (isMeasured ? Self.warmUp + baseline + recovery : .zero) + duration
    }
}

/// The body of `POST /api/runs`.
struct RunBody: Decodable {
    let experiment: String
    let origin: RunRequest.Origin
    let baseline: Duration
    /// Nil for the usual one of the experiment.
    let duration: Duration?
    let recovery: Duration
    /// Nil for the experiment's own, or the usual one.
    let rate: Int?
    let seed: UInt64?
    /// The name of a load profile; nil for the usual load.
    let profile: String?
    let arrivals: ArrivalSchedule.Arrivals
    /// Nil for the experiment's own, or none.
    let resilience: ResilienceSettings?
    /// Nil for the experiment's own.
    let expect: Hypothesis?
    let stopWhen: [StopCondition]?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let experiment = fields.text("experiment")
        let origin = fields.text("origin", default: RunRequest.Origin.api.rawValue)
            .map(RunRequest.Origin.init(rawValue:))
        if case .some(.none) = origin { fields.reject("origin", "must be page, api or command-line") }
        let baseline = fields.duration("baseline", default: RunRequest.defaultBaseline, atMost: RunLimits.longestPhase)
        let longest = RunLimits.longestFault
        let duration: Duration?? =
            fields.contains("duration")
            ? fields.duration("duration", default: longest, atMost: longest).map(Optional.some) : .some(nil)
        let recovery = fields.duration("recovery", default: RunRequest.defaultRecovery, atMost: RunLimits.longestPhase)
        rate = fields.contains("rate") ? fields.integer("rate", in: RunLimits.rates) : nil
        let seed = fields.contains("seed") ? fields.integer("seed", in: 0...Int(RunRequest.seeds.upperBound)) : nil
        let (profile, arrivals) = (fields.optionalText("profile"), fields.arrivals())
        resilience = fields.resilience("resilience")
        expect = fields.expectation("expect", Hypothesis.parse)
        stopWhen = fields.expectation("stop_when", StopCondition.parseList)
        (self.experiment, self.origin, self.baseline, self.duration, self.recovery) =
            try fields.require(experiment, origin ?? nil, baseline, duration, recovery)
        (self.profile, self.arrivals) = try fields.require(profile, arrivals)
        self.seed = seed.map(UInt64.init)
        try check(rate: rate ?? RunRequest.defaultRate, lasting: self.duration ?? RunRequest.defaultDuration)
    }

    /// With what the body leaves open.
    ///
    /// - Parameter profile: the one that ``profile`` names.
    /// - Throws: ``Problem`` 422 when the experiment lasts too long for the rate.
    func request(_ experiment: Experiment, profile: LoadProfile = .usual) throws -> RunRequest {
        let duration = duration ?? RunRequest.usualDuration(of: experiment)
        let rate = rate ?? experiment.rate ?? RunRequest.defaultRate
        try check(rate: rate, lasting: duration)
        return RunRequest(
            experiment: experiment, origin: origin, baseline: baseline, duration: duration, recovery: recovery,
            rate: rate, seed: seed ?? .random(in: RunRequest.seeds), profile: profile, arrivals: arrivals,
            resilience: resilience ?? experiment.resilience,
            expect: expect, stopWhen: stopWhen)
    }

    private func check(rate: Int, lasting duration: Duration) throws {
        guard (baseline + duration + recovery).seconds * Double(rate) <= Double(RunLimits.requests) else {
            throw Problem.invalid("rate", "times the duration must be at most \(RunLimits.requests) requests")
        }
    }
}

extension FieldReader {
    /// `constant`, which is meant when nobody says, or `poisson`.
    func arrivals() -> ArrivalSchedule.Arrivals? {
        guard let name = text("arrivals", default: ArrivalSchedule.Arrivals.constant.rawValue) else { return nil }
        let arrivals = ArrivalSchedule.Arrivals(rawValue: name)
        if arrivals == nil { reject("arrivals", "must be constant or poisson") }
        return arrivals
    }

    /// As manifests write it, `hardened - hedging`; nil where it is absent.
    func resilience(_ name: String) -> ResilienceSettings? {
        guard contains(name), let text = text(name) else { return nil }
        do throws(QuantityError) {
            return try ResilienceSettings.parse(text)
        } catch {
            reject(name, error.description)
            return nil
        }
    }

    /// What is expected, or when to stop: one text, or a list of texts that count together; nil when it is absent or
    /// wrong.
    func expectation<Value>(_ name: String, _ parse: (String) throws(QuantityError) -> Value) -> Value? {
        guard contains(name), let text = textOrTexts(name, maxLength: 1000) else { return nil }
        do {
            return try parse(text.joined(separator: ", "))
        } catch {
            reject(name, "\(error)")
            return nil
        }
    }

    /// A duration as manifests write it, `90s` or `1m30s`, from one second up.
    func duration(_ name: String, default fallback: Duration, atMost maximum: Duration) -> Duration? {
        guard contains(name) else { return fallback }
        guard let text = text(name) else { return nil }
        guard let duration = try? GoDuration.parse(text), duration >= RunLimits.shortest, duration <= maximum else {
            let least = GoDuration.text(RunLimits.shortest)
            reject(name, "must be a duration from \(least) to \(GoDuration.text(maximum)), such as 30s")
            return nil
        }
        return duration
    }
}
