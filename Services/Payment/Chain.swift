import HTTPTypes
import Shared

/// Calls every service behind the payment service once, to see whether a payment could get through. It reserves
/// nothing and charges nothing.
///
/// ```
///   1 inventory: GET /check/<id>  -->  2 notification: POST /send  -->  success | partial_failure | failure
/// ```
///
/// The second step runs whatever came of the first.
struct Chain: Sendable {
    let inventory: InventoryClient
    let notifications: NotificationClient
    /// For each step.
    let stepTimeout: Duration

    struct Step: Sendable, Equatable {
        let number: Int
        let service: String
        let latency: Duration
        /// Nil when it succeeded.
        let failure: DownstreamError?
    }

    struct Report: Sendable, Equatable {
        let steps: [Step]
        let total: Duration

        var overallStatus: String {
            let failures = steps.count { $0.failure != nil }
            return failures == 0 ? "success" : failures == steps.count ? "failure" : "partial_failure"
        }

        var hasTimedOut: Bool { steps.contains { $0.failure == .timedOut } }
    }

    /// - Throws: `CancellationError`; a failed step is part of the report.
    func run(productID: String) async throws -> Report {
        let start = ContinuousClock.now
        let first = try await step(1, "inventory") {
            _ = try await inventory.check(productID, timeout: stepTimeout)
        }
        let second = try await step(2, "notification") {
            try await notifications.send("A payment was started.", recipient: nil, key: nil, timeout: stepTimeout)
        }
        return Report(steps: [first, second], total: ContinuousClock.now - start)
    }

    private func step(_ number: Int, _ service: String, _ body: () async throws -> Void) async throws -> Step {
        let start = ContinuousClock.now
        var failure: DownstreamError?
        do {
            try await body()
        } catch let error as DownstreamError {
            failure = error
        }
        return Step(number: number, service: service, latency: ContinuousClock.now - start, failure: failure)
    }
}

extension Chain.Report {
    /// The documented members, in the answer of every status.
    var members: [String: JSONValue] {
        [
            "steps": .array(steps.map(\.document)), "overall_status": .string(overallStatus),
            "total_time_ms": .milliseconds(total),
        ]
    }

    /// Nil when every step succeeded.
    var problem: Problem? {
        let failed = steps.compactMap { step in step.failure.map { "\(step.service): \($0)" } }
        guard !failed.isEmpty else { return nil }
        return Problem(
            hasTimedOut ? .gatewayTimeout : .badGateway, failed.joined(separator: "; "), members: members)
    }
}

extension Chain.Step {
    fileprivate var document: JSONValue {
        var members: [String: JSONValue] = [
            "step": .integer(Int64(number)), "service": .string(service),
            "status": .string(failure == nil ? "success" : "failed"), "latency_ms": .milliseconds(latency),
        ]
        members["error"] = failure.map { .string("\($0)") }
        return .object(members)
    }
}
