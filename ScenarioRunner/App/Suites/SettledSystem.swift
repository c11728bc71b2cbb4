import Experiments
import Foundation
import HTTPTypes
import Sandbox
import Shared

/// Waits until the lab's system is well: no run is under way, every replica runs, every service is ready, and a chain
/// through all of them is answered quickly; all of that three times in a row. (A run itself ends only once its payments
/// have their end: the check of the books waits for that.)
struct SettledSystem: Sendable {
    let state: LabFolder.State
    let client: HTTPClient

    /// Of one look at the system; also the time that a chain may take in a system that is well.
    private static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(500)
    private static let looksInARow = 3
    /// From the end of the rest: longer than the longest that a service takes to give up and to settle what it owes.
    static let longest = Duration.seconds(60)

    /// - Parameters:
    ///   - rest: is waited for in any case.
    ///   - stop: ends the wait.
    /// - Returns: what was still wrong after ``longest``; nil when the system is well.
    func wait(rest: Duration, stop: Latch) async -> String? {
        if await stop.wait(until: .now + rest) { return nil }
        let deadline = ContinuousClock.now + Self.longest
        var wellInARow = 0
        var complaint: String?
        while ContinuousClock.now < deadline {
            complaint = await look()
            wellInARow = complaint == nil ? wellInARow + 1 : 0
            if wellInARow == Self.looksInARow { return nil }
            if await stop.wait(until: .now + Self.pause) { return nil }
        }
        return complaint ?? "it was not well for \(Self.looksInARow) looks in a row"
    }

    /// What is wrong now; nil when nothing is.
    private func look() async -> String? {
        if let complaint = await replicas() { return complaint }
        if let complaint = await runs() { return complaint }
        for url in [state.paymentURL, state.inventoryURL, state.notificationURL] {
            guard await status(.get, url + "/health/ready") == 200 else { return "\(url) is not ready" }
        }
        guard await status(.post, state.paymentURL + "/payment/chain", body: "{}") == 200 else {
            return "a chain through the services is not answered within \(GoDuration.text(Self.patience))"
        }
        return nil
    }

    private func replicas() async -> String? {
        guard let topology = await document(state.runnerURL + "/api/topology") else { return "the lab does not answer" }
        for service in topology["services"]?.list ?? [] {
            for replica in service["replicas"]?.list ?? [] where replica["state"]?.text != ReplicaState.up.rawValue {
                return "\(replica["name"]?.text ?? "a replica") is \(replica["state"]?.text ?? "not known")"
            }
        }
        return nil
    }

    private func runs() async -> String? {
        guard let runs = await document(state.runnerURL + "/api/runs") else { return "the lab does not answer" }
        let running = (runs["runs"]?.list ?? []).first { $0["state"]?.text != RunView.State.finished.rawValue }
        return running.map { "the run \($0["id"]?.text ?? "") is under way" }
    }

    private func document(_ url: String) async -> JSONValue? {
        let answer = try? await client.execute(
            HTTPClientRequest(method: .get, url: url, timeout: Self.patience, maxResponseBytes: 4 * 1024 * 1024))
        guard let answer, answer.status == 200 else { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: answer.body)
    }

    private func status(_ method: HTTPRequest.Method, _ url: String, body: String? = nil) async -> Int? {
        try? await client.execute(
            HTTPClientRequest(
                method: method, url: url, headers: body == nil ? [:] : [.contentType: "application/json"],
                body: body.map { Data($0.utf8) }, timeout: Self.patience)
        ).status
    }
}

extension JSONValue {
    fileprivate var list: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
}
