import HTTPTypes
import Shared

extension Governor.Refusal {
    /// As the API says it, with what to do about it.
    func problem(for experiment: String) -> Problem {
        switch self {
        case .halted:
            Problem(
                .locked,
                "Everything is halted, and nothing starts until the runner is re-armed: "
                    + "POST /api/rearm, or 'scenario-runner rearm'.")
        case .coolingDown(let seconds):
            .retryLater(
                .tooManyRequests, "Rate limit exceeded. Please wait \(seconds) seconds before the next experiment.",
                seconds: seconds, members: ["cooldown_remaining_seconds": .integer(Int64(seconds))])
        case .noPlace(let seconds):
            .retryLater(
                .tooManyRequests, "Maximum concurrent chaos experiments (\(RateLimit.maxConcurrent)) reached.",
                seconds: seconds, members: ["active_experiments": .integer(Int64(RateLimit.maxConcurrent))])
        case .conflict(let id, let other, let place, let seconds):
            .retryLater(
                .conflict, conflictText(experiment, id, other, place), seconds: seconds,
                members: ["run_id": .string(id), "experiment": .string(other)])
        case .tooWide(let seconds):
            tooWide(experiment, seconds)
        }
    }

    private func conflictText(_ experiment: String, _ id: String, _ other: String, _ place: String?) -> String {
        let remedy = "Stop it first, or wait for its end."
        guard let place else { return "\(experiment) already runs as \(id). \(remedy)" }
        return "\(experiment) would act on \(place), where \(other) acts already (\(id)). \(remedy)"
    }

    /// What is wrong with an experiment that is too wide by itself, and what to do about it.
    static let total =
        "would touch every replica of every service: select fewer, or start the lab with "
        + "--allow-total, the runner of a cluster with ALLOW_TOTAL=true."

    private func tooWide(_ experiment: String, _ seconds: Int?) -> Problem {
        guard let seconds else { return Problem(.unprocessableContent, "\(experiment) \(Self.total)") }
        return .retryLater(
            .conflict,
            "\(experiment) would touch every replica of every service, with what is in force. "
                + "Wait for its end, or start the lab with --allow-total, the runner of a cluster with ALLOW_TOTAL=true.",
            seconds: seconds)
    }
}

extension HTTPResponse.Status {
    /// 423, RFC 4918.
    static var locked: HTTPResponse.Status { .init(code: 423, reasonPhrase: "Locked") }
}
