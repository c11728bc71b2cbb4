import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// The endpoints by which people switch failures and services learn of it, over real sockets.
struct PaymentScenariosTests {
    private let store = FailureModesStore(seed: 7)
    private let events = EventHub()

    private var routes: [Route] {
        PaymentScenariosController(store: store, events: events, isHalted: { false }).routes
    }

    @Test func everythingIsOffAtFirst() async throws {
        try await withServer(routes: routes) { server in
            let answer = try await server.get("/api/payment-scenarios")
            #expect(
                answer.text == """
                    {"scenarios":{"card_decline_enabled":false,"card_decline_probability":0,"gateway_timeout_delay":10,\
                    "gateway_timeout_enabled":false,"gateway_timeout_phase":"after-charge",\
                    "gateway_timeout_probability":0,"stolen_card_enabled":false,"stolen_card_probability":0},\
                    "status":"success"}
                    """)
        }
    }

    @Test func switchingOnWithoutParametersTakesTheDefaults() async throws {
        try await withServer(routes: routes) { server in
            let timeout = try await server.send("POST", "/api/payment-scenarios/gateway-timeout?enabled=true")
            #expect(timeout.status == 200)
            #expect(try timeout.json()["status"] == .string("success"))
            #expect(
                try timeout.json()["message"] == .string("Gateway timeout scenario enabled (15.0% of requests)"))
            _ = try await server.send("POST", "/api/payment-scenarios/card-decline?enabled=true")
            let stolen = try await server.send("POST", "/api/payment-scenarios/stolen-card?enabled=true")
            #expect(try stolen.json()["message"] == .string("Stolen card scenario enabled (10.0% of requests)"))
            var expected = FailureModes()
            expected.gatewayTimeoutEnabled = true
            expected.gatewayTimeoutProbability = 15
            expected.gatewayTimeoutDelay = 10
            expected.cardDeclineEnabled = true
            expected.cardDeclineProbability = 20
            expected.stolenCardEnabled = true
            expected.stolenCardProbability = 10
            #expect(store.settings.failureModes == expected)
            #expect(store.settings.version == 4)
        }
    }

    @Test func parametersAreKept() async throws {
        try await withServer(routes: routes) { server in
            let path =
                "/api/payment-scenarios/gateway-timeout?enabled=True&probability=33.3&delay=4.5&phase=before-charge"
            let answer = try await server.send("POST", path)
            #expect(try answer.json()["scenarios"]?["gateway_timeout_probability"] == .decimal(Decimal(333) / 10))
            #expect(store.settings.failureModes.gatewayTimeoutDelay == 4.5)
            #expect(store.settings.failureModes.gatewayTimeoutPhase == .beforeCharge)
            _ = try await server.send("POST", "/api/payment-scenarios/gateway-timeout?enabled=false")
            #expect(!store.settings.failureModes.gatewayTimeoutEnabled)
        }
    }

    @Test(arguments: [
        ("true", true), ("True", true), ("TRUE", true), ("1", true), ("yes", true), ("on", true), ("false", false),
        ("False", false), ("0", false), ("no", false), ("off", false), ("%74rue", true),
    ])
    func spellingsOfABoolean(text: String, enabled: Bool) async throws {
        store.change { $0.cardDeclineEnabled = !enabled }
        try await withServer(routes: routes) { server in
            let answer = try await server.send("POST", "/api/payment-scenarios/card-decline?enabled=\(text)")
            #expect(answer.status == 200)
            #expect(store.settings.failureModes.cardDeclineEnabled == enabled)
        }
    }

    @Test(arguments: [
        ("gateway-timeout", "enabled: is required"), ("card-decline", "enabled: is required"),
        ("stolen-card?enabled", "enabled: must be true or false"),
        ("stolen-card?enabled=", "enabled: must be true or false"),
        ("stolen-card?enabled=maybe", "enabled: must be true or false"),
        ("stolen-card?enabled=2", "enabled: must be true or false"),
        ("card-decline?enabled=1&probability=nan", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=inf", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=-inf", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=1e999", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=100.01", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=-0.1", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=", "probability: must be a number from 0 to 100"),
        ("card-decline?enabled=1&probability=10%25", "probability: must be a number from 0 to 100"),
        ("gateway-timeout?enabled=1&delay=0.9", "delay: must be a number from 1 to 60"),
        ("gateway-timeout?enabled=1&delay=61", "delay: must be a number from 1 to 60"),
        ("gateway-timeout?enabled=1&phase=never", "phase: must be one of before-charge, after-charge, response-lost"),
        (
            "gateway-timeout?probability=101&delay=0",
            "enabled: is required; probability: must be a number from 0 to 100; delay: must be a number from 1 to 60"
        ),
    ])
    func whatIsOutOfRangeIs422AndChangesNothing(path: String, message: String) async throws {
        try await withServer(routes: routes) { server in
            let answer = try await server.send("POST", "/api/payment-scenarios/\(path)")
            #expect(answer.status == 422)
            #expect(answer.headers["content-type"] == "application/problem+json; charset=utf-8")
            let document = try answer.json()
            #expect(document["status"] == .string("error"))
            #expect(document["message"] == .string(message) && document["detail"] == .string(message))
            #expect(store.settings.version == 1)
        }
    }

    @Test func resetSwitchesEverythingOff() async throws {
        store.change {
            $0.gatewayTimeoutEnabled = true
            $0.gatewayTimeoutDelay = 60
            $0.stolenCardProbability = 50
        }
        let stream = try #require(events.subscribe())
        try await withServer(routes: routes) { server in
            let answer = try await server.send("POST", "/api/payment-scenarios/reset")
            #expect(try answer.json()["message"] == .string("All payment scenarios reset"))
            #expect(store.settings.failureModes == .off)
            #expect(await stream.first { _ in true }?.name == "failure_modes")
        }
    }

    /// Every tab that is open shows what one of them chose.
    @Test func theStreamTellsThePhase() async throws {
        let stream = try #require(events.subscribe())
        try await withServer(routes: routes) { server in
            _ = try await server.send(
                "POST", "/api/payment-scenarios/gateway-timeout?enabled=true&phase=response-lost")
            let event = try #require(await stream.first { $0.name == "failure_modes" })
            #expect(event.data.contains(#""gateway_timeout_phase":"response-lost""#))
        }
    }

    @Test func thePageOffersThePhasesOfTheAPI() throws {
        let page = Bundle.main.bundleURL.appending(
            path: "payment-chaos_ScenarioRunner.resources/Public/js/views/failures.js")
        let values = try String(contentsOf: page, encoding: .utf8).matches(of: #/value: "([^"]+)"/#).map(\.1)
        #expect(values.map(String.init) == GatewayTimeoutPhase.allCases.map(\.rawValue))
    }

    // MARK: What the services poll

    @Test func thePollIsAnsweredAtOnceOrWithTheNextChange() async throws {
        try await withServer(routes: routes) { server in
            let first = try await server.get("/api/service-settings")
            let settings = try JSONDecoder().decode(ServiceSettings.self, from: first.body)
            #expect(settings == ServiceSettings(version: 1, leaseS: 15, seed: 7, failureModes: .off))
            async let second = server.get("/api/service-settings?version=1&wait=30")
            try await eventually { store.waitingCount == 1 }
            _ = try await server.send("POST", "/api/payment-scenarios/card-decline?enabled=on&probability=100")
            let changed = try JSONDecoder().decode(ServiceSettings.self, from: await second.body)
            #expect(changed.version == 2 && changed.failureModes.cardDeclineEnabled)
            #expect(try await server.get("/api/service-settings?version=1&wait=30").json()["version"] == .integer(2))
        }
    }

    @Test(arguments: ["version=-1", "version=x", "wait=31", "wait=-1", "wait=1.5", "wait=nan"])
    func aPollOutOfRangeIs422(query: String) async throws {
        try await withServer(routes: routes) { server in
            let answer = try await server.get("/api/service-settings?\(query)")
            #expect(answer.status == 422)
        }
    }

    /// The drain has 15 s and a poll may wait for 30.
    @Test func shuttingDownAnswersThePollsThatWait() async throws {
        try await withServer(routes: routes) { server in
            async let poll = server.get("/api/service-settings?version=1&wait=30")
            try await eventually { store.waitingCount == 1 }
            await server.shutDown()
            try await eventually(within: .seconds(3)) { store.waitingCount == 0 }
            let answer = try await poll
            #expect(answer.status == 200)
            #expect(try answer.json()["version"] == .integer(1))
        }
    }
}
