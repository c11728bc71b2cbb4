import Foundation
import HTTPTypes
import Load
import Shared

@testable import ScenarioRunner

/// A Locust that sends nothing: it runs until it is stopped or told to end.
struct FakeLocust: LocustDriver {
    var name = "process"
    /// Why there is none.
    var missing: String?
    /// Refuses to start, as a busy master does.
    var refusal: Problem?
    var note: String?
    var end = LocustEnd(exitCode: 0)
    /// Ends it when it opens.
    let isOver = Latch()
    /// Open once nobody has followed what was started.
    let isAbandoned = Latch()

    func obstacle() async -> String? { missing }

    func start(_ order: LocustOrder) async throws -> StartedLocust {
        if let refusal { throw refusal }
        if let missing { throw Problem(.serviceUnavailable, missing) }
        return StartedLocust(note: note, abandon: { isAbandoned.open() }) { stop, onReport in
            while !stop.isOpen, !isOver.isOpen, !Task.isCancelled {
                if let report = try? Self.report(requests: 40, failures: 0) { onReport(report) }
                try? await Task.sleep(for: .milliseconds(5))
            }
            var end = end
            end.summary = end.summary ?? (try? Self.report(requests: 40, failures: 0))?.summary
            return end
        }
    }

    /// As a Locust tells it.
    static func report(
        requests: Int, failures: Int, state: String = "running", exitCode: Int? = nil, more: String = ""
    ) throws -> LocustReport {
        func entry(_ name: String) -> String {
            """
            {"method": "POST", "name": "\(name)", "num_requests": \(requests), "num_failures": \(failures),
            "min_response_time": 1.0, "max_response_time": 30.5, "current_rps": 9.5, "current_fail_per_sec": 0.0,
            "avg_response_time": 7.9, "median_response_time": 6, "total_rps": 8.25, "total_fail_per_sec": 0.0,
            "response_time_percentile_0.95": 16, "response_time_percentile_0.99": 29, "avg_content_length": 3}
            """
        }
        let end = exitCode.map { ", \"exit_code\": \($0)" } ?? ""
        return try JSONDecoder().decode(
            LocustReport.self,
            from: Data(
                """
                {"time": 1.5, "state": "\(state)", "user_count": 4, "stats": [\(entry("/pay")), \(entry("Aggregated"))],
                "errors": [{"method": "POST", "name": "/pay", "error": "500", "occurrences": \(failures)}],
                "current_response_time_percentiles":
                {"response_time_percentile_0.5": 6, "response_time_percentile_0.95": null}\(more)\(end)}
                """.utf8))
    }
}
