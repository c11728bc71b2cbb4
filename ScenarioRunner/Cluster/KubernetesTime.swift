import Foundation
import Shared

/// Times as Kubernetes writes them: RFC 3339, `2026-03-01T12:00:00Z`.
enum KubernetesTime {
    static func text(_ time: UnixTime) -> String {
        Date(timeIntervalSince1970: time.seconds).formatted(.iso8601)
    }

    /// Nil when it is no such time.
    static func parse(_ text: String) -> UnixTime? {
        let date =
            (try? Date.ISO8601FormatStyle().parse(text))
            ?? (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
        return date.map { UnixTime(milliseconds: Int64($0.timeIntervalSince1970 * 1000)) }
    }
}
