import Experiments
import Shared

/// What may be chosen for a run of one experiment, and what is meant where nobody chooses: for forms, which would
/// otherwise have to know it too.
struct RunChoices: Codable, Sendable, Equatable {
    struct Choice: Codable, Sendable, Equatable {
        /// Nil where it is chosen anew for each run, or follows from the experiment's own plan.
        let usual: Int?
        let least: Int
        let most: Int
    }

    let baselineS: Choice
    let durationS: Choice
    let recoveryS: Choice
    let rateRps: Choice
    let seed: Choice

    init(_ experiment: Experiment) {
        func seconds(_ usual: Duration?, atMost most: Duration) -> Choice {
            Choice(
                usual: usual.map { Int($0.seconds) }, least: Int(RunLimits.shortest.seconds), most: Int(most.seconds))
        }
        baselineS = seconds(RunRequest.defaultBaseline, atMost: RunLimits.longestPhase)
        durationS = seconds(
            RunRequest.lastsAsPlanned(experiment) ? nil : RunRequest.defaultDuration, atMost: RunLimits.longestFault)
        recoveryS = seconds(RunRequest.defaultRecovery, atMost: RunLimits.longestPhase)
        rateRps = Choice(
            usual: experiment.rate ?? RunRequest.defaultRate, least: RunLimits.rates.lowerBound,
            most: RunLimits.rates.upperBound)
        seed = Choice(usual: nil, least: Int(RunRequest.seeds.lowerBound), most: Int(RunRequest.seeds.upperBound))
    }

    enum CodingKeys: String, CodingKey {
        case seed
        case baselineS = "baseline_s"
        case durationS = "duration_s"
        case recoveryS = "recovery_s"
        case rateRps = "rate_rps"
    }
}

extension RunChoices.Choice {
    // Written out for its null, which the synthesised one leaves away.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(usual, forKey: .usual)
        try container.encode(least, forKey: .least)
        try container.encode(most, forKey: .most)
    }

    private enum CodingKeys: String, CodingKey { case usual, least, most }
}
