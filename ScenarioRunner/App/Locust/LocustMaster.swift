import Foundation
import HTTPTypes
import Load
import Shared

/// A Locust master with workers, driven through the interface behind its page. That is how load grows past one machine.
///
/// ```
///   POST /swarm --> GET /stats/requests, once a second, until it has stopped --> its report, its tables
///   stop -------> POST /stop
/// ```
struct LocustMaster: LocustDriver {
    let url: String
    /// What its users are sent to; its own file decides when nil.
    let host: String?
    let client: HTTPClient
    let folder: LabFolder

    let name = "master"

    private static let timeout = Duration.seconds(5)
    /// Once it has been told to stop: a runner that ends waits for this.
    private static let hurry = Duration.seconds(1)
    private static let interval = Duration.seconds(1)
    private static let maxReportBytes = 16 * 1024 * 1024

    func obstacle() async -> String? {
        do {
            return try await report().liveWorkers == 0 ? Self.noWorkers : nil
        } catch {
            return Self.silent(error)
        }
    }

    func start(_ order: LocustOrder) async throws -> StartedLocust {
        let now: LocustReport
        do {
            now = try await report()
        } catch {
            throw Problem.retryLater(.serviceUnavailable, Self.silent(error), seconds: 5)
        }
        guard now.liveWorkers > 0 else { throw Problem.retryLater(.serviceUnavailable, Self.noWorkers, seconds: 5) }
        // The answer may be two seconds old, which a master keeps it for: who is that quick on its page is not seen.
        guard !now.isBusy else {
            throw Problem.retryLater(
                .conflict, "The Locust master runs a test already. Stop it on its page, or wait for its end.",
                seconds: order.runTimeSeconds)
        }
        let swarm = try await swarm(order)
        return StartedLocust(note: Self.note(order, swarm), abandon: stop) { stop, onReport in
            await follow(order, stop, onReport)
        }
    }

    // MARK: The start

    private struct Swarm: Decodable {
        let success: Bool
        let message: String
        /// Only where the master was started with `--class-picker`.
        let userClasses: [String]?

        enum CodingKeys: String, CodingKey {
            case success, message
            case userClasses = "user_classes"
        }
    }

    private func swarm(_ order: LocustOrder) async throws -> Swarm {
        let swarm: Swarm
        do {
            swarm = try await send(.post, "/swarm", form: order.form(host: host)).decode()
        } catch {
            await stop()
            throw Problem.retryLater(.serviceUnavailable, Self.silent(error), seconds: 5)
        }
        guard swarm.success else {
            throw Problem(.serviceUnavailable, "The Locust master did not start: \(swarm.message)")
        }
        if let known = swarm.userClasses, !order.profile.userClasses.contains(where: known.contains) {
            await stop()
            throw Problem(
                .unprocessableContent,
                "The Locust master knows none of \(order.profile.name)'s users "
                    + "(\(order.profile.userClasses.joined(separator: ", "))): start it with that file.")
        }
        return swarm
    }

    private static func note(_ order: LocustOrder, _ swarm: Swarm) -> String {
        if let known = swarm.userClasses { return "The master runs \(known.joined(separator: ", "))." }
        return "The master has no class picker (--class-picker), so it runs all users of its own file, "
            + "whether that is \(order.profile.name) or not."
    }

    // MARK: To the end

    private func follow(
        _ order: LocustOrder, _ stop: Latch, _ onReport: @escaping @Sendable (LocustReport) -> Void
    ) async -> LocustEnd {
        var watch = MasterWatch(start: .now, runTime: order.runTime)
        var last: LocustReport?
        var isTold = false
        while true {
            if stop.isOpen || watch.isOverdue(at: .now), !isTold {
                await self.stop()
                watch.stopped(at: .now)
                isTold = true
            }
            // A cancelled task hears nothing more.
            if Task.isCancelled, isTold { return LocustEnd(summary: last?.summary) }
            let report = try? await report(timeout: isTold ? Self.hurry : Self.timeout)
            if let report {
                last = report
                onReport(report)
            }
            switch watch.heard(isBusy: report?.isBusy, at: .now) {
            case .goOn: break
            case .ended: return await end(order, last, within: isTold ? Self.hurry : Self.timeout)
            case .lost:
                return LocustEnd(summary: last?.summary, problem: "The Locust master does not answer any more.")
            }
            if isTold {
                try? await Task.sleep(for: Self.interval / 4)
            } else {
                _ = await stop.wait(until: .now + Self.interval)
            }
            if Task.isCancelled { stop.open() }
        }
    }

    /// - Parameter limit: for each of its files.
    private func end(_ order: LocustOrder, _ last: LocustReport?, within limit: Duration) async -> LocustEnd {
        let files = [
            ("/stats/report", ".html"), ("/stats/requests/csv", "_stats.csv"), ("/stats/failures/csv", "_failures.csv"),
        ]
        for (path, ending) in files {
            guard let answer = try? await send(.get, path, timeout: limit) else { continue }
            let file = folder.runs.appendingPathComponent("\(order.id)\(ending)")
            try? answer.body.write(to: file, options: .atomic)
        }
        return LocustEnd(summary: last?.summary)
    }

    // MARK: Requests

    private func report(timeout: Duration = Self.timeout) async throws -> LocustReport {
        try await send(.get, "/stats/requests", timeout: timeout).decode()
    }

    private func stop() async {
        // Else the master would go on.
        await uncancelled {
            // Older masters take a GET.
            if (try? await send(.post, "/stop", timeout: Self.hurry)) == nil {
                _ = try? await send(.get, "/stop", timeout: Self.hurry)
            }
        }
    }

    /// - Throws: ``LabError`` for an answer other than 200, and what the client throws.
    private func send(
        _ method: HTTPRequest.Method, _ path: String, form: String? = nil, timeout: Duration = Self.timeout
    ) async throws -> HTTPClientResponse {
        let response = try await client.execute(
            HTTPClientRequest(
                method: method, url: url + path,
                headers: form == nil ? [:] : [.contentType: "application/x-www-form-urlencoded"],
                body: form.map { Data($0.utf8) }, timeout: timeout, maxResponseBytes: Self.maxReportBytes))
        guard response.status == 200 else { throw LabError("it answered \(response.status)") }
        return response
    }

    private static let noWorkers =
        "The Locust master has no workers: start some with 'locust --worker --master-host ...'."

    private static func silent(_ error: any Error) -> String {
        let reason = error is DecodingError ? "it answers like no Locust" : "\(error)"
        return "The Locust master of LOCUST_MASTER_URL does not answer (\(reason)): start it, or correct the address."
    }
}
