import Cluster
import Experiments
import HTTPTypes
import Shared

extension Problem {
    /// What keeps the cluster from doing it now: 503 with the remedy, and when to come again where that is known.
    init(_ error: ClusterError) {
        let sentence = "\(error)"
        var members: [String: JSONValue] = ["cause": .string(error.kind.rawValue)]
        members["remedy"] = error.remedy.map(JSONValue.string)
        let detail = sentence.prefix(1).uppercased() + sentence.dropFirst() + (sentence.hasSuffix(".") ? "" : ".")
        if let wait = error.retryAfter {
            self = .retryLater(.serviceUnavailable, detail, seconds: wait.wholeSecondsUp, members: members)
        } else {
            self.init(.serviceUnavailable, detail, members: members)
        }
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
