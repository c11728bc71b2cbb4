import Shared
import Testing

struct SettingsReaderTests {
    private enum Environment: String, CaseIterable { case local, production }

    @Test func namesAreTheEnvironmentVariables() throws {
        let reader = SettingsReader(environment: [
            "PORT": "5010", "INVENTORY_SERVICE": "http://inventory-service:5003/", "INVENTORY_TIMEOUT_MS": "250",
            "SCENARIO_RUNNER_ENVIRONMENT": "production", "HOST": "0.0.0.0", "K8S_NAMESPACE_2": "lab",
        ])
        #expect(reader.integer("PORT", in: 0...65535, default: 1) == 5010)
        #expect(reader.baseURL("INVENTORY_SERVICE", default: "x") == "http://inventory-service:5003")
        #expect(reader.milliseconds("INVENTORY_TIMEOUT_MS", in: 1...60_000, default: 10_000) == .milliseconds(250))
        #expect(reader.choice("SCENARIO_RUNNER_ENVIRONMENT", default: Environment.local) == .production)
        #expect(reader.text("HOST", default: "127.0.0.1") == "0.0.0.0")
        #expect(reader.optionalText("K8S_NAMESPACE_2") == "lab")
        try reader.finish()
    }

    @Test func absentSettingsHaveTheirDefaults() throws {
        let reader = SettingsReader(environment: [:])
        #expect(reader.integer("PORT", in: 0...65535, default: 5002) == 5002)
        #expect(reader.milliseconds("TIMEOUT_MS", in: 1...9, default: 7) == .milliseconds(7))
        #expect(reader.choice("ENVIRONMENT", default: Environment.local) == .local)
        #expect(reader.baseURL("SERVICE", default: "http://x:1") == "http://x:1")
        #expect(reader.optionalBaseURL("SERVICE") == nil)
        #expect(reader.optionalText("NAME") == nil)
        try reader.finish()
    }

    @Test func everyMistakeIsCollected() throws {
        let reader = SettingsReader(environment: [
            "PORT": "abc", "TIMEOUT_MS": "0", "ENVIRONMENT": "prod", "SERVICE": "inventory:5003", "GOOD": "1",
        ])
        _ = reader.integer("PORT", in: 1...65535, default: 5002)
        _ = reader.milliseconds("TIMEOUT_MS", in: 1...60_000, default: 7)
        _ = reader.choice("ENVIRONMENT", default: Environment.local)
        _ = reader.optionalBaseURL("SERVICE")
        _ = reader.integer("GOOD", in: 1...1, default: 1)
        let error = try #require(throws: SettingsError.self) { try reader.finish() }
        #expect(
            error.messages == [
                "PORT=abc: must be an integer from 1 to 65535", "TIMEOUT_MS=0: must be an integer from 1 to 60000",
                "ENVIRONMENT=prod: must be one of local, production",
                "SERVICE=inventory:5003: must be a URL such as http://inventory-service:5003",
            ])
        #expect("\(error)" == "bad configuration: " + error.messages.joined(separator: "; "))
    }

    @Test(arguments: ["", " 1", "1 ", "1.0", "0x10", "65536", "-1", "99999999999999999999"])
    func isNoPort(text: String) {
        let reader = SettingsReader(environment: ["PORT": text])
        #expect(reader.integer("PORT", in: 0...65535, default: 5002) == 5002)
        #expect(throws: SettingsError.self) { try reader.finish() }
    }

    @Test(arguments: [
        "", "inventory", "ftp://inventory", "http://", "http://inventory/path", "http://inventory?x=1",
        "http://inventory#part", "http://inventory:0", "http://inventory:65536", "http://in ventory", "//inventory",
    ])
    func isNoBaseURL(text: String) throws {
        let reader = SettingsReader(environment: ["SERVICE": text])
        #expect(reader.optionalBaseURL("SERVICE") == nil)
        #expect(throws: SettingsError.self) { try reader.finish() }
    }

    @Test(arguments: ["http://127.0.0.1:5003", "https://inventory-service.shop.svc", "http://[::1]:5003"])
    func isABaseURL(text: String) throws {
        let reader = SettingsReader(environment: ["SERVICE": text])
        #expect(reader.optionalBaseURL("SERVICE") == text)
        try reader.finish()
    }

    @Test(arguments: ["http://user:secret@inventory", "https://secret@inventory:5003/path"])
    func aPasswordIsRefusedWithoutBeingShown(text: String) throws {
        let reader = SettingsReader(environment: ["SERVICE": text])
        #expect(reader.optionalBaseURL("SERVICE") == nil)
        let error = try #require(throws: SettingsError.self) { try reader.finish() }
        #expect(!"\(error)".contains("secret"))
    }
}
