import Gateway
import HTTPTypes
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing

@testable import PaymentService

@Suite("Failure modes over many payments", .timeLimit(.minutes(3)))
struct ProbabilityTests {
    /// What the caller of a payment is told, by what hit it; nil: nothing did.
    private static let answers: [FailureScenario?: String] = [
        nil: "200", .stolenCard: "402 stolen_card", .cardDecline: "402 generic_decline", .gatewayTimeout: "504 gateway",
    ]

    /// The draws are independent, and only the first hit counts: stolen, declined, silent.
    private static let shares: [FailureScenario: Double] = [
        .stolenCard: 0.10, .cardDecline: 0.90 * 0.20, .gatewayTimeout: 0.90 * 0.80 * 0.15,
    ]

    /// The machine that runs all tests at once is no part of the draws: a disk that takes 5 s to write is a gateway
    /// that gives no answer.
    private static var patient: PaymentLab.Options {
        var options = PaymentLab.Options()
        options.patience = .seconds(60)
        return options
    }

    @Sendable private static func breakEverything(_ modes: inout FailureModes) {
        (modes.stolenCardEnabled, modes.stolenCardProbability) = (true, 10)
        (modes.cardDeclineEnabled, modes.cardDeclineProbability) = (true, 20)
        (modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability, modes.gatewayTimeoutDelay) = (true, 15, 1)
    }

    @Test("hit their shares of 2,000 payments, and every failure names its cause")
    func shares() async throws {
        try await PaymentLab.run(Self.patient) { lab in
            try await lab.fill()
            try await lab.change(Self.breakEverything)
            let keys = (0..<2000).map { "order-\($0)" }
            let payments = try await concurrently(keys) { try await lab.paid(at: lab.payment, key: $0) }
            let byAnswer = Dictionary(grouping: payments, by: \.answer)
            #expect(Set(byAnswer.keys) == Set(Self.answers.values))
            for (scenario, share) in Self.shares {
                let hits = byAnswer[try #require(Self.answers[scenario]), default: []].count
                #expect(Self.isWithin99Percent(hits, of: keys.count, share), "\(scenario): \(hits) hits")
            }
            // Every failure names one, and what succeeded none.
            let asked = payments.filter { $0.answer != "200" } + (byAnswer["200"] ?? []).prefix(100)
            let named = try await concurrently(asked) { (Self.answers[try await lab.cause(of: $0)], $0.answer) }
            for (expected, answer) in named { #expect(expected == answer) }
        }
    }

    @Test("hit the same keys at one seed, whatever the replica and the order, and others at another seed")
    func seeds() async throws {
        let keys = (0..<150).map { "order-\($0)" }
        var generator = SeededGenerator(seed: 5)
        let first = try await outcomes(keys, seed: 41) { $0.hashedByte.isMultiple(of: 2) }
        let second = try await outcomes(keys.shuffled(using: &generator), seed: 41) { $0.hashedByte.isMultiple(of: 3) }
        #expect(first.count == keys.count && Set(first.values).count == Self.answers.count)
        for key in keys { #expect(first[key] == second[key], "\(key)") }
        let other = try await outcomes(keys, seed: 42) { $0.hashedByte.isMultiple(of: 2) }
        // Of two independent draws, somewhat less than half of the payments come to the same.
        let same = keys.count { first[$0] == other[$0] }
        #expect(same < keys.count * 3 / 4, "\(same) of \(keys.count)")
    }

    /// What each key's payment came to in the end, in fresh databases behind two replicas.
    ///
    /// - Parameter goesToSecond: which replica gets a key.
    private func outcomes(
        _ keys: [String], seed: UInt64, goesToSecond: @escaping @Sendable (String) -> Bool
    ) async throws -> [String: String] {
        let found = Mutex<[String: String]>([:])
        try await PaymentLab.run(Self.patient) { lab in
            try await lab.fill()
            try await lab.change(seed: seed, Self.breakEverything)
            try await lab.withReplica(followsRunner: true) { replica in
                let version = try await lab.payment.settingsVersion()
                try await eventually { try await replica.settingsVersion() == version }
                let payments = try await concurrently(keys) { key in
                    try await lab.paid(at: goesToSecond(key) ? replica : lab.payment, key: key)
                }
                let ends = try await concurrently(payments) { payment in
                    try await eventually { try await lab.status(of: payment.id) != "processing" }
                    return "\(payment.answer), \(try await lab.status(of: payment.id) ?? "")"
                }
                found.withLock { $0 = Dictionary(uniqueKeysWithValues: zip(payments.map(\.key), ends)) }
            }
        }
        return found.withLock { $0 }
    }

    /// Whether the share lies in the 99 % interval that the hits give it (E. B. Wilson, 1927): the observed count is
    /// at most 2.576 standard deviations of the binomial distribution away from the expected one.
    private static func isWithin99Percent(_ hits: Int, of count: Int, _ share: Double) -> Bool {
        let n = Double(count)
        return abs(Double(hits) - n * share) <= 2.575_829 * (n * share * (1 - share)).squareRoot()
    }
}

/// A payment as its caller saw it.
private struct Paid: Sendable {
    let key: String
    let id: String
    /// The status, and what tells one failure from another.
    let answer: String
}

extension PaymentLab {
    /// Enough chargers for every payment of these tests.
    fileprivate func fill() async throws {
        let answer = try await inventory.post("/restock", #"{"product_id":"5","quantity":2000}"#)
        #expect(answer.status == 200)
    }

    fileprivate func paid(at replica: TestClient, key: String) async throws -> Paid {
        let answer = try await replica.post(
            "/payment/process", #"{"amount":"19.99","product_id":"5"}"#, headers: [.idempotencyKey: key])
        let detail = answer["decline_code"]?.text ?? answer["source"]?.text
        let id = try #require(answer["payment_id"]?.text, "\(answer.text)")
        return Paid(
            key: key, id: id, answer: (["\(answer.status)"] + [detail].compactMap(\.self)).joined(separator: " "))
    }

    fileprivate func status(of id: String) async throws -> String? {
        try await payment.get("/payment/status/\(id)")["status"]?.text
    }

    /// The one failure mode that a payment's events name.
    fileprivate func cause(of paid: Paid) async throws -> FailureScenario? {
        guard case .array(let events) = try await payment.get("/payment/events/\(paid.id)")["events"] else {
            Issue.record("\(paid.id) has no events")
            return nil
        }
        let names = Set(events.compactMap { $0["scenario"]?.text })
        #expect(names.count <= 1, "\(paid.id): \(names)")
        return try names.first.map { try #require(FailureScenario(rawValue: $0)) }
    }
}

extension TestClient {
    /// The version of the settings in force at a service.
    fileprivate func settingsVersion() async throws -> Substring? {
        try await get("/metrics").text.split(separator: "\n").first { $0.hasPrefix("service_settings_version ") }
    }
}

extension String {
    /// The same in every run, unlike `hashValue`.
    fileprivate var hashedByte: UInt8 { utf8.reduce(0) { $0 &* 31 &+ $1 } }
}

/// Does the same for each element, at most 64 at a time, and keeps the order.
private func concurrently<Element: Sendable, Value: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        var results = [Value?](repeating: nil, count: elements.count)
        for (index, element) in elements.enumerated() {
            if index >= 64, let (done, value) = try await group.next() { results[done] = value }
            group.addTask { (index, try await body(element)) }
        }
        for try await (done, value) in group { results[done] = value }
        return results.compactMap(\.self)
    }
}
