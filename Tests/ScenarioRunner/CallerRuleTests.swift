import HTTPTypes
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// Whose requests the runner takes.
@Suite struct CallerRuleTests {
    /// What a browser says of a page.
    struct Caller: Sendable, CustomTestStringConvertible {
        var host: String? = "localhost:8000"
        var origin: String?
        var site: String?
        let isTaken: Bool

        var testDescription: String { "\(host ?? "-") \(origin ?? "-") \(site ?? "-")" }
    }

    @Test(arguments: [
        // curl, scripts and the command line say nothing.
        Caller(isTaken: true), Caller(host: nil, isTaken: true),
        Caller(origin: "http://localhost:8000", site: "same-origin", isTaken: true),
        Caller(host: "Localhost:8000", origin: "http://localhost:8000", isTaken: true),
        Caller(host: "[::1]:8000", origin: "http://[::1]:8000", isTaken: true),
        Caller(host: "chaos.example", origin: "https://chaos.example", site: "same-origin", isTaken: true),
        Caller(site: "none", isTaken: true),
        Caller(site: "cross-site", isTaken: false),
        // Another port of this machine is the same site, and another origin.
        Caller(origin: "http://localhost:3000", site: "same-site", isTaken: false),
        Caller(site: "same-site", isTaken: false), Caller(site: "", isTaken: false),
        Caller(origin: "http://localhost:3000", isTaken: false), Caller(origin: "http://localhost", isTaken: false),
        Caller(origin: "http://evil.example", isTaken: false),
        Caller(origin: "http://evil.example/localhost:8000", isTaken: false),
        // A sandboxed frame, such as a report's.
        Caller(origin: "null", isTaken: false), Caller(host: nil, origin: "null", isTaken: false),
        Caller(origin: "null", site: "same-origin", isTaken: false),
        Caller(origin: "http://localhost:8000", site: "cross-site", isTaken: false),
    ])
    func onlyTheRunnersOwnPageChangesAnything(_ caller: Caller) {
        let rule = CallerRule()
        for method: HTTPRequest.Method in [.post, .put, .delete, .patch] {
            let refusal = rule.refusal(method: method, host: caller.host, origin: caller.origin, site: caller.site)
            #expect(refusal?.status == (caller.isTaken ? nil : .forbidden), "\(method)")
        }
        for method: HTTPRequest.Method in [.get, .head, .options] {
            #expect(rule.refusal(method: method, host: caller.host, origin: caller.origin, site: caller.site) == nil)
        }
    }

    @Test(arguments: [
        ("localhost", true), ("localhost:8000", true), ("LOCALHOST:9", true), ("127.0.0.1:8000", true),
        ("127.0.0.1", true), ("[::1]", true), ("[::1]:8000", true), ("10.77.0.1:8000", true),
        ("scenario-runner:8000", true), ("evil.example:8000", false), ("localhost.evil.example", false),
        ("127.0.0.1.evil.example:8000", false), ("10.77.0.2:8000", false), ("", false),
        ("[::2]:8000", false), ("0.0.0.0:8000", false), ("localhost@evil.example", false),
    ])
    func theLabIsAskedForByItsOwnNames(host: String, isTaken: Bool) {
        for method: HTTPRequest.Method in [.get, .head, .options, .post] {
            let refusal = CallerRule.thisMachine.refusal(method: method, host: host, origin: nil, site: nil)
            #expect(refusal?.status == (isTaken ? nil : .misdirectedRequest), "\(method)")
            #expect(CallerRule().refusal(method: method, host: host, origin: nil, site: nil) == nil, "in a cluster")
        }
    }

    /// What any page could send without being asked first (Fetch: simple requests).
    @Test(arguments: [
        "/api/halt", "/api/rearm", "/api/trigger_chaos/loss-a", "/scenario-runner/api/trigger_chaos/loss-a",
        "/api/locust/stop", "/api/load/stop", "/api/chaos-rate-limit-reset", "/api/run_locust/shopper.py",
        "/api/payment-scenarios/card-decline?enabled=true", "/nothing",
    ])
    func whatAnotherPageSendsDoesNothing(path: String) async throws {
        try await RunnerLab.serve { lab, server in
            let answer = try await server.send(
                "POST", path, headers: ["Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"])
            #expect(
                answer.status == 403 && answer.headers["content-type"]?.hasPrefix("application/problem+json") == true)
            #expect(try answer.json()["detail"]?.text?.contains("another origin") == true)
            #expect(!lab.manager.isHalted && lab.manager.views.isEmpty && lab.locust.runs.isEmpty)
            #expect(try await server.send("POST", "/api/halt", headers: ["Origin": "http://localhost"]).status == 200)
        }
    }

    @Test func aNameThatWasBoundAnewReadsNothing() async throws {
        var options = RunnerLab.Options()
        options.callers = .thisMachine
        try await RunnerLab.serve(options) { _, server in
            for path in ["/", "/api/runs", "/api/events", "/health"] {
                let answer = try await server.send("GET", path, host: "evil.example:8000")
                #expect(answer.status == 421, "\(path)")
                #expect(try answer.json()["detail"]?.text?.contains("localhost") == true)
            }
            // As such a page has them: to the browser it is the runner's own.
            let headers = ["Origin": "http://evil.example:8000", "Sec-Fetch-Site": "same-origin"]
            let halt = try await server.send("POST", "/api/halt", host: "evil.example:8000", headers: headers)
            #expect(halt.status == 421)
            #expect(try await server.get("/api/halt").json()["halted"] == .bool(false))
        }
    }
}
