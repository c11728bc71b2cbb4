import Cluster
import Experiments
import HTTPTypes
import Shared

extension Problem {
    /// What keeps the cluster from doing it now: 503 with the remedy, and when to come again where that is known. What
    /// it will never do as it is written is the caller's to mend: 422.
    init(_ error: ClusterError) {
        var members: [String: JSONValue] = ["cause": .string(error.kind.rawValue)]
        members["remedy"] = error.remedy.map(JSONValue.string)
        let sentence = Self.ended("\(error)")
        let detail = sentence.prefix(1).uppercased() + sentence.dropFirst()
        if let wait = error.retryAfter {
            self = .retryLater(.serviceUnavailable, detail, seconds: wait.wholeSecondsUp, members: members)
        } else {
            self.init(error.kind == .invalid ? .unprocessableContent : .serviceUnavailable, detail, members: members)
        }
    }

    private static func ended(_ text: String) -> String { text + (text.hasSuffix(".") ? "" : ".") }

    /// A run whose fault is not in force.
    ///
    /// - Parameters:
    ///   - failure: why it could not be put in force; nil when the run ended or was stopped before.
    ///   - limit: that was waited in vain; nil when it is decided.
    static func notInForce(_ run: RunView, _ failure: (any Error)?, within limit: Duration?) -> Problem {
        var problem = Problem(.serviceUnavailable, "")
        let why: String
        switch failure {
        case let left as FaultLeftBehind:
            why =
                ended("\(left.injection)") + " It could not be taken back at once, and may still be there: "
                + "\(left.removal). The runner goes on trying; GET /api/runs/\(run.id) tells"
        case let failure?:
            problem = answer(to: failure) as? Problem ?? problem
            why = "\(failure)"
        case nil:
            if let limit {
                why =
                    "nothing is known of it after \(GoDuration.text(limit)); the run was told to stop, see "
                    + "GET /api/runs/\(run.id)"
            } else {
                why = run.reasons.isEmpty ? "the run was stopped" : run.reasons.joined(separator: "; ")
            }
        }
        problem.detail = "\(run.experiment) did not take effect: \(ended(why))"
        problem.members["run_id"] = .string(run.id)
        return problem
    }

    /// What is wrong with the cluster, and what an engine refuses of a manifest, as answers; anything else as it is.
    static func answer(to error: any Error) -> any Error {
        switch error {
        case let error as ClusterError: Problem(error)
        case let refusal as Refusal:
            Problem(
                .unprocessableContent, refusal.description,
                members: [
                    "file": .string(refusal.file), "line": .integer(Int64(refusal.line)),
                    "field": .string(refusal.field),
                ])
        default: error
        }
    }
}
