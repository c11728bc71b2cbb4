import Foundation

/// The seconds of a run as CSV (RFC 4180), with the units in the head.
struct SeriesCSV: Sendable {
    private let journal: Journal

    private static let head = [
        "t_s", "phase", "requests", "ok", "declined", "client_errors", "server_errors", "timed_out",
        "connection_failed", "dropped", "p50_ms", "p95_ms", "p99_ms",
    ]

    init(_ journal: Journal) { self.journal = journal }

    var text: String {
        let lines = journal.series.map { point in
            let counts = point.counts
            let numbers = [
                point.requests, counts.ok, counts.declined, counts.clientErrors, counts.serverErrors, counts.timedOut,
                counts.connectionFailed, counts.dropped,
            ].map(String.init)
            // A second without requests has no latency, which is not one of 0 ms.
            let latencies = [point.p50Ms, point.p95Ms, point.p99Ms].map {
                point.requests > 0 ? String(format: "%.3f", $0) : ""
            }
            return ["\(point.t)", point.phase?.rawValue ?? ""] + numbers + latencies
        }
        return ([Self.head] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
    }
}
