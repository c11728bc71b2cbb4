import Experiments
import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

@Suite struct ResilienceAPITests {
    private func patterns(_ answer: WireResponse) throws -> [ResiliencePattern: Bool] {
        guard case .object(let members)? = try answer.json()["patterns"] else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: members.compactMap { name, value in
                guard let pattern = ResiliencePattern(rawValue: name), case .bool(let isOn) = value else { return nil }
                return (pattern, isOn)
            })
    }

    @Test func profilesAndSinglePatternsAreSetAndTravelToTheServices() async throws {
        try await RunnerLab.serve { lab, server in
            let first = try await server.get("/api/resilience")
            #expect(try first.json()["profile"] == .string("naive"))
            #expect(try patterns(first).filter(\.value).map(\.key) == [.deadlines])
            let version = lab.api.failureModes.settings.version

            let hardened = try await server.put("/api/resilience", json: #"{"profile": "hardened"}"#)
            #expect(hardened.status == 200)
            #expect(try patterns(hardened).values.allSatisfy { $0 })
            let mixed = try await server.put(
                "/api/resilience",
                json: #"{"patterns": {"hedging": false}, "inventory_pool": {"connections": 2, "hold_ms": 80}}"#)
            #expect(try mixed.json()["profile"] == .string("hardened"))
            #expect(try patterns(mixed)[.hedging] == false && patterns(mixed)[.retry] == true)

            let polled = try await server.get("/scenario-runner/api/service-settings?version=\(version)&wait=30").json()
            #expect(polled["version"] == .integer(Int64(version + 2)))
            let shown = try await server.get("/api/resilience").json()
            #expect(polled["resilience"] == shown)
            #expect(shown["inventory_pool"]?["hold_ms"] == .integer(80))

            // A profile sets every pattern anew, and leaves the pool.
            let storm = try await server.put(
                "/api/resilience", json: #"{"profile": "retry-storm", "patterns": {"retry_budget": true}}"#)
            #expect(try patterns(storm).filter(\.value).map(\.key.rawValue).sorted() == ["retry", "retry_budget"])
            #expect(try storm.json()["inventory_pool"]?["connections"] == .integer(2))
            let unlimited = try await server.put("/api/resilience", json: #"{"inventory_pool": null}"#)
            #expect(try unlimited.json()["inventory_pool"] == .null)
        }
    }

    @Test(arguments: [
        (#"{}"#, "profile"), (#"{"profile": "brave"}"#, "profile"), (#"{"profile": null}"#, "profile"),
        (#"{"patterns": {"retries": true}}"#, "patterns.retries"), (#"{"patterns": []}"#, "patterns"),
        (#"{"patterns": {"retry": 1}}"#, "patterns.retry"), (#"{"patterns": {"retry": null}}"#, "patterns.retry"),
        (#"{"pattern": {"retry": true}}"#, "pattern"), (#"{"inventory_pool": {"connections": 2}}"#, "inventory_pool"),
        (#"{"inventory_pool": {"connections": 0, "hold_ms": 1}}"#, "inventory_pool.connections"),
        (#"{"inventory_pool": {"connections": 1, "hold_ms": 1.5}}"#, "inventory_pool.hold_ms"),
    ])
    func whatIsWrongIsNamedAndChangesNothing(body: String, field: String) async throws {
        try await RunnerLab.serve { lab, server in
            let before = lab.api.failureModes.settings
            let answer = try await server.put("/api/resilience", json: body)
            #expect(answer.status == 422)
            let fields = try answer.json()["errors"]?.elements.map { $0["field"]?.text }
            #expect(fields == [field], "\(answer.text)")
            #expect(lab.api.failureModes.settings == before)
        }
    }

    /// What a replica does: polls, and so has in force what it names.
    private func follow(_ lab: RunnerLab) async {
        var version = 0
        while !Task.isCancelled {
            version = await lab.api.failureModes.settings(
                after: version, wait: .milliseconds(50), follower: "inventory-0"
            ).version
        }
    }

    @Test func aRunSetsThemForItsTimeAndPutsThemBack() async throws {
        try await RunnerLab.serve { lab, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await follow(lab) }
                defer { group.cancelAll() }
                _ = try await server.put("/api/resilience", json: #"{"profile": "hardened"}"#)
                let before = lab.api.failureModes.settings.resilience
                var request = try RunnerLab.request(rate: 50, fault: .seconds(30))
                request.resilience = ResilienceSettings(.retryStorm)
                let id = try lab.manager.start(request).id
                try await eventually("the fault") { lab.engine.inForce == 1 }
                #expect(lab.api.failureModes.settings.resilience == ResilienceSettings(.retryStorm))

                // Nobody changes them meanwhile: neither a person nor another run.
                let refused = try await server.put("/api/resilience", json: #"{"profile": "naive"}"#)
                #expect(refused.status == 409)
                #expect(try refused.json()["run_id"] == .string(id))
                var other = try RunnerLab.request("loss-b", rate: 50)
                other.resilience = ResilienceSettings(.naive)
                let problem = #expect(throws: Problem.self) { try lab.manager.start(other) }
                #expect(problem?.status == .conflict)

                _ = try lab.manager.stop(id)
                let journal = try await lab.ended(id).journal
                #expect(lab.api.failureModes.settings.resilience == before)
                let notes = journal.events.filter { $0.name == "resilience" }.map(\.detail)
                #expect(notes == ["retry-storm", "hardened"])
            }
        }
    }

    @Test func aRunIsInvalidWhenTheReplicasDoNotTakeThemUp() async throws {
        var options = RunnerLab.Options()
        options.followTime = .milliseconds(50)
        try await RunnerLab.run(options) { lab in
            let before = lab.api.failureModes.settings.resilience
            var request = try RunnerLab.request(rate: 50)
            request.resilience = ResilienceSettings(.hardened)
            let (view, journal) = try await lab.ended(try lab.manager.start(request).id)
            #expect(view.verdict == .invalid)
            #expect(journal.reasons.first?.contains("not every replica") == true, "\(journal.reasons)")
            #expect(lab.engine.log == [])
            #expect(lab.api.failureModes.settings.resilience == before)
        }
    }

    @Test func aBodyTakesThemAndTheRateFromTheExperiment() throws {
        func body(_ json: String) throws -> RunBody {
            try JSONDecoder().decode(RunBody.self, from: Data(json.utf8))
        }
        var experiment = try RunnerLab.request().experiment
        experiment.resilience = ResilienceSettings(.retryStorm)
        experiment.rate = 18
        let plain = try body(#"{"experiment": "x"}"#).request(experiment)
        #expect(plain.rate == 18 && plain.resilience == ResilienceSettings(.retryStorm))
        let other = try body(#"{"experiment": "x", "rate": 7, "resilience": "naive"}"#).request(experiment)
        #expect(other.rate == 7 && other.resilience == ResilienceSettings(.naive))
        let problem = #expect(throws: Problem.self) { try body(#"{"experiment": "x", "resilience": "naive + luck"}"#) }
        #expect(problem?.detail.contains("'luck'") == true)
    }

    @Test func onlyFollowersThatAreHeardCount() async {
        let store = FailureModesStore(seed: 1)
        #expect(!store.isFollowedByAll())
        _ = await store.settings(after: 1, wait: .zero, follower: "inventory-0")
        #expect(store.isFollowedByAll() && !store.isFollowed)
        store.changeResilience { $0 = ResilienceSettings(.hardened) }
        _ = await store.settings(after: 2, wait: .zero, follower: "payment-0")
        #expect(!store.isFollowedByAll() && store.isFollowed)
        #expect(!store.isFollowedByAll(at: .now + FailureModesStore.followerTime + .seconds(1)))
        _ = await store.settings(after: 2, wait: .zero, follower: "inventory-0")
        #expect(store.isFollowedByAll())
    }
}
