import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import Testing

@Suite struct LoadProfileTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ScenarioRunner/load-profiles").path

    @Test func theShippedProfilesLoad() throws {
        let catalogue = LoadProfileCatalogue.load(folder: Self.folder)
        #expect(catalogue.problems == [])
        #expect(catalogue.profiles.map(\.name) == ["browse", "chain", "checkout", "refund", "status-poll"])
        #expect(catalogue.profiles.allSatisfy { !$0.description.isEmpty && !$0.thresholds.isEmpty })
        for profile in catalogue.profiles { #expect(profile.file.hasSuffix("/\(profile.name).yaml")) }
    }

    @Test func theUsualLoadIsTheOneCalledChain() throws {
        let chain = try LoadProfile.load(file: Self.folder + "/chain.yaml")
        let targets = LoadProfile.Targets(all: "http://a")
        #expect(try chain.templates(targets: targets) == LoadProfile.usual.templates(targets: targets))
    }

    @Test func everyFieldIsRead() throws {
        let profile = try LoadProfile.load(
            """
            name: all-of-it
            description: Everything
            base_url: http://payment-service:5002/
            requests:
              - name: pay
                weight: 3
                method: POST
                path: /payment/process
                headers: {Idempotency-Key: "${uuid}", X-Plain: "1"}
                body: {amount: "19.99", list: [1, 2.5, true, null, "a\\"b"], nested: {k: "${choice:x,y}"}}
                expect: {status: [200, 402], body_contains: PAY, json: {/status: success, /n: 1}}
                remember: {payment_id: /payment_id}
              - {name: text, method: PUT, path: "/x?y=${int:1,9}", body: "a: b"}
              - {name: shop, service: inventory, path: /list}
            thresholds: ["success >= 99%", "p99 <= 250ms, max <= 1s"]
            """, file: "all.yaml")
        #expect(profile.baseURL == "http://payment-service:5002/" && profile.requestNames == ["pay", "text", "shop"])
        #expect(profile.thresholds.map(\.description) == ["success >= 99%", "p99 <= 250ms, max <= 1s"])
        let (pay, text) = try (
            profile.templates(targets: .init(all: "http://b"))[0], profile.templates(targets: .init(all: "http://b"))[1]
        )
        #expect(try pay.url == TextTemplate("http://payment-service:5002/payment/process") && pay.weight == 3)
        #expect(
            try pay.body
                == TextTemplate(
                    #"{"amount":"19.99","list":[1,2.5,true,null,"a\"b"],"nested":{"k":"${choice:x,y}"}}"#))
        #expect(pay.headers.map { $0.name.rawName }.sorted() == ["Content-Type", "Idempotency-Key", "X-Plain"])
        #expect(pay.expectation?.statuses == [200, 402] && pay.expectation?.bodyContains == "PAY")
        #expect(pay.expectation?.values.map(\.value) == [.string("success"), .integer(1)])
        #expect(try text.body == TextTemplate("a: b") && text.headers.isEmpty && text.method == .put)
    }

    @Test func servicesHaveTheirAddresses() throws {
        let profile = try LoadProfile.load(file: Self.folder + "/browse.yaml")
        let targets = LoadProfile.Targets(payment: "http://p", inventory: "http://i", notification: "http://n")
        #expect(try profile.templates(targets: targets)[0].url == TextTemplate("http://i/list"))
        #expect(try profile.templates(targets: targets, baseURL: "http://x")[0].url == TextTemplate("http://x/list"))
    }

    private static let head = "name: x\nrequests:\n  - {name: a, path: /}\n"

    @Test(arguments: [
        ("name: x\nrequest: []", "2: request: unknown field"),
        ("name: X y\nrequests: [{name: a, path: /}]", "1: name: must be of small letters"),
        ("name: x", "1: requests: must be from 1"),
        ("name: x\nrequests: []", "2: requests: must be from 1"),
        ("name: x\nrequests:\n  - {name: a, path: /, wieght: 2}", "3: requests[0].wieght: unknown field"),
        ("name: x\nrequests:\n  - {name: a}", "3: requests[0].path: is required"),
        ("name: x\nrequests:\n  - {name: a, path: b}", "3: requests[0].path: must begin with /"),
        (
            "name: x\nrequests:\n  - name: a\n    path: /\n    weight: 0",
            "5: requests[0].weight: must be from 1 to 1000"
        ),
        ("name: x\nrequests:\n  - name: a\n    path: /\n    method: get", "5: requests[0].method: 'get' is not one of"),
        ("name: x\nrequests:\n  - {name: a, path: \"/${x}\"}", "3: requests[0].name: '${x}' is not known"),
        ("name: x\nrequests:\n  - {name: a, path: /}\n  - {name: a, path: /}", "4: requests[1].name: 'a' is the name"),
        (
            "name: x\nrequests:\n  - name: a\n    path: /\n    expect: {status: [20]}",
            "5: requests[0].expect.status: must"
        ),
        (
            "name: x\nrequests:\n  - name: a\n    path: /\n    expect: {json: {a: 1}}",
            "5: requests[0].expect.json.a: is not"
        ),
        ("name: x\nrequests:\n  - {name: a, path: \"/${recall:id}\"}", "2: requests: request a recalls 'id'"),
        ("\(Self.head)thresholds: [\"p99 <= 1\"]", "4: thresholds[0]: 'p99 <= 1' has '1' where a time"),
        ("\(Self.head)thresholds: [\"money right\"]", "4: thresholds: 'money right' needs a run"),
        ("\(Self.head)thresholds: [\"p99 <= 1s after\"]", "4: thresholds: 'p99 <= 1s after' needs a run"),
        ("\(Self.head)base_url: ftp://a", "4: base_url: must be like"),
        ("name: x\n---\nname: y", "1: : must hold one document"),
    ])
    func refusalsNameTheirPlace(text: String, expected: String) {
        let refusal = #expect(throws: Refusal.self) { try LoadProfile.load(text, file: "x.yaml") }
        #expect(refusal?.description.hasPrefix("x.yaml:\(expected)") == true, "\(refusal?.description ?? "none")")
    }

    @Test func brokenFilesAreListedAndHideNoOther() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("profiles-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        try write("a.yaml", Self.head)
        try write("b.yaml", Self.head)
        try write("c.yaml", "name: c")
        try write("d.yml", "name: d\nrequests: [{name: a, path: /}]")
        try write("e.txt", "nothing")
        let catalogue = LoadProfileCatalogue.load(folder: folder.path)
        #expect(catalogue.profiles.map(\.name) == ["x", "d"])
        #expect(catalogue.problems.map(\.field) == ["name", "requests"])
        #expect(LoadProfileCatalogue.load(folder: folder.path + "/none").problems.count == 1)
    }

    @Test func thresholdsAreMeasured() throws {
        let profile = try LoadProfile.load(
            "\(Self.head)thresholds: [\"success >= 99%, p99 <= 250ms\", \"throughput > 5/s\"]", file: "x.yaml")
        var summary = LoadSummary()
        (summary.requests, summary.successRate, summary.p99Ms, summary.throughputRps) = (100, 0.995, 251, 9.5)
        let completed = summary.completed(by: profile, baseURL: nil)
        #expect(completed.thresholds.map(\.held) == [true, false, true] && !completed.heldThresholds)
        #expect(completed.thresholds.map(\.measured) == ["success 99.5%", "p99 251ms", "throughput 9.5/s"])
        #expect(try JSONDecoder().decode(LoadSummary.self, from: completed.json()) == completed)
    }
}
