import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// What browsers are told to leave alone.
struct AnswerHeadersTests {
    @Test func everyAnswerSaysWhatItIsAndStaysInItsOrigin() async throws {
        try await RunnerLab.serve { _, server in
            let paths = [
                "/", "/app.css", "/api/runs", "/api/nothing", "/nothing", "/health", "/metrics", "/openapi.yaml",
            ]
            for path in paths {
                let headers = try await server.get(path).headers
                #expect(headers["x-content-type-options"] == "nosniff", "\(path)")
                #expect(headers["referrer-policy"] == "no-referrer")
                #expect(headers["cross-origin-resource-policy"] == "same-origin")
                #expect(headers["cross-origin-opener-policy"] == "same-origin")
                let policy = try #require(headers["content-security-policy"])
                #expect(policy.hasPrefix("default-src 'none'; "), "\(path)")
                #expect(policy.contains("frame-ancestors 'none'"), "\(path)")
            }
        }
    }

    @Test func aReportIsShownInTheRunnersOwnFramesAndIsAStrangerThere() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try lab.manager.start(RunnerLab.request()).id
            _ = try await lab.ended(id)
            for path in ["/api/runs/\(id)/report", "/api/compare?a=\(id)&b=\(id)&format=html"] {
                let answer = try await server.get(path)
                #expect(answer.status == 200)
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.contains("frame-ancestors 'self'") && policy.hasPrefix("sandbox "))
                #expect(!policy.contains("allow-same-origin") && policy.contains("; connect-src 'none'; "))
            }
            let text = try await server.get("/api/runs/\(id)/report?format=md")
            #expect(text.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
        }
    }
}
