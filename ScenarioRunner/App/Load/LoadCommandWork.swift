import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import UnixSignals

/// A load from this process.
struct HostLoad: Sendable {
    let order: LoadCommandOrder

    private static let probeTime = Duration.seconds(5)

    func run(_ line: LoadLine, _ file: CSVFile?) async throws -> LoadSummary {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await requireReachable()
        var observer = LoadSession.Observer()
        observer.onProgress = { line.show($0) }
        if let file { observer.onSecond = { file.write($0) } }
        let generator: LoadGenerator
        do {
            generator = try LoadGenerator(plan: order.plan(), observer: observer)
        } catch let error as LoadLoop.TooManyOpenFiles {
            throw LabError("\(error)")
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { generator.stop() }
            }
            let summary = await generator.run()
            group.cancelAll()
            return summary.completed(by: order.profile, baseURL: order.baseURL)
        }
    }

    /// Any answer will do. What does not answer at all is told at once, not after a minute of failures.
    private func requireReachable() async throws {
        let client = HTTPClient(configuration: .init(connectTimeout: Self.probeTime))
        let result: Result<HTTPClientResponse, any Error>
        do {
            result = .success(
                try await client.execute(HTTPClientRequest(url: order.target, timeout: Self.probeTime)))
        } catch { result = .failure(error) }
        await client.shutdown()
        if case .failure(HTTPClientError.connectFailed) = result {
            throw LabError("nothing answers at \(order.target); start it, or choose another --base-url")
        }
    }
}

/// A load from where the users are, through the API of a runner.
struct RunnerLoad: Sendable {
    let address: RunnerAddress
    let order: LoadCommandOrder

    private static let interval = Duration.milliseconds(500)

    func run(_ line: LoadLine, _ file: CSVFile?) async throws -> LoadSummary {
        let client = HTTPClient()
        let connection = RunnerConnection(address: address, client: client)
        do {
            let summary = try await run(connection, line, file)
            await client.shutdown()
            return summary
        } catch {
            await client.shutdown()
            line.clear()
            throw error is SilentRunner ? address.silence : error
        }
    }

    private func run(_ connection: RunnerConnection, _ line: LoadLine, _ file: CSVFile?) async throws -> LoadSummary {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let started = try JSONDecoder().decode(
            LoadView.self, from: try await connection.call(.post, "/api/load", body: body))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { _ = try? await connection.call(.post, "/api/load/stop") }
            }
            defer { group.cancelAll() }
            return try await follow(started.id, connection, line, file)
        }
    }

    /// Ends with the load, which ends by itself.
    private func follow(
        _ id: String, _ connection: RunnerConnection, _ line: LoadLine, _ file: CSVFile?
    ) async throws -> LoadSummary {
        var since = 0
        var patient = PatientConnection(connection)
        while true {
            guard let answer = try await patient.ask("/api/load?since=\(since)") else {
                line.show("the runner does not answer; the load goes on there")
                try await Task.sleep(for: Self.interval)
                continue
            }
            let load = try JSONDecoder().decode(Followed.self, from: answer)
            // The runner keeps the numbers of one load only.
            guard load.view.id == id else {
                throw LabError(
                    "the load \(id) has ended, and \(load.view.id) was started before anybody asked for its numbers")
            }
            for second in load.seconds { file?.write(second) }
            since = load.seconds.last.map { $0.t + 1 } ?? since
            if let summary = load.view.summary, !load.view.isUnderWay { return summary }
            if let error = load.view.error { throw LabError(error) }
            if let progress = load.view.progress { line.show(progress) }
            try await Task.sleep(for: Self.interval)
        }
    }

    private var body: Data {
        get throws {
            let shape = order.shape
            var body: [String: JSONValue] = [
                "profile_yaml": .string(order.profile.text), "model": .string(shape.model.rawValue),
                "arrivals": .string(shape.arrivals.rawValue), "rate": .string("\(shape.rate)"),
                "duration": .string(GoDuration.text(.milliseconds(shape.durationMs))),
                "users": .integer(Int64(shape.users)), "think_ms": .integer(Int64(shape.thinkMs)),
                "timeout_ms": .integer(Int64(order.timeout / .milliseconds(1))),
            ]
            body["ramp"] = shape.ramp.map(JSONValue.string)
            body["base_url"] = order.baseURL.map(JSONValue.string)
            if let seed = Int64(exactly: order.seed) { body["seed"] = .integer(seed) }
            return try JSONEncoder().encode(JSONValue.object(body))
        }
    }

    private struct Followed: Decodable {
        let view: LoadView
        let seconds: [LoadSecond]

        enum CodingKeys: String, CodingKey { case seconds }

        init(from decoder: any Decoder) throws {
            view = try LoadView(from: decoder)
            seconds = try decoder.container(keyedBy: CodingKeys.self).decode([LoadSecond].self, forKey: .seconds)
        }
    }
}
