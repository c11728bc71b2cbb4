import Experiments
import Foundation
import HTTPTypes
import Load
import Shared

/// One look at whether the system is well: no run is under way, every replica runs, every service is ready, and, where
/// that is tried, a chain through all of them is answered quickly. (A run itself ends only once its payments have their end: the check of the
/// books waits for that.)
struct SystemLook: Sendable {
    let system: SystemUnderTest
    let client: HTTPClient
    /// Those that have not ended.
    let runs: @Sendable () -> [RunView]

    /// Of each question; also the time that a chain may take in a system that is well.
    private static let patience = Duration.seconds(2)

    /// What is wrong now; nil when nothing is.
    ///
    /// - Parameter tryingChain: whether a chain is asked for, which leaves a notification in the system.
    func complaint(tryingChain: Bool) async -> String? {
        let replicas = system.replicas()
        if let replica = replicas.first(where: { $0.state != .up }) {
            return "\(replica.name) is \(replica.state)"
        }
        // Where none is known, none is missed: what the services answer has to do.
        for service in SystemUnderTest.services
        where !replicas.isEmpty && !replicas.contains(where: { $0.tier == service.tier }) {
            return "there is no replica of \(service.name)"
        }
        if let run = runs().first { return "the run \(run.id) is under way" }
        let targets = system.targets
        for url in [targets.payment, targets.inventory, targets.notification] {
            guard await status(.get, url + "/health/ready") == 200 else { return "\(url) is not ready" }
        }
        guard tryingChain else { return nil }
        guard await status(.post, targets.payment + "/payment/chain", body: "{}") == 200 else {
            return "a chain through the services is not answered within \(GoDuration.text(Self.patience))"
        }
        return nil
    }

    private func status(_ method: HTTPRequest.Method, _ url: String, body: String? = nil) async -> Int? {
        try? await client.execute(
            HTTPClientRequest(
                method: method, url: url, headers: body == nil ? [:] : [.contentType: "application/json"],
                body: body.map { Data($0.utf8) }, timeout: Self.patience)
        ).status
    }
}
