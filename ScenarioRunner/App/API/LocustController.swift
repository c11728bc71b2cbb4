import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import NIOCore
import Shared

/// Locust: its profiles, its runs, and the old system's way to start one.
struct LocustController: Sendable {
    let service: LocustService

    var routes: [Route] {
        [
            .get("/api/locust", overview),
            .post("/api/run_locust/{file}", start).withScenarioErrors,
            .post("/api/locust/stop", stop).withScenarioErrors,
            .get("/api/locust/runs/{id}") { _, context in try .json(service.run(try context.pathParameter("id"))) },
            .get("/api/locust/runs/{id}/report", report),
        ]
    }

    private func overview(_ request: Request, _ context: AppContext) async throws -> Response {
        let obstacle = await service.driver.obstacle()
        let runs = service.runs
        return try .json(
            Overview(
                driver: service.driver.name, obstacle: obstacle,
                files: service.catalogue.profiles.map {
                    .init(name: $0.name, description: $0.description, userClasses: $0.userClasses)
                },
                current: runs.first { $0.state != .finished },
                runs: runs.map(\.withoutSummary)))
    }

    /// Answers at once; the run goes on by itself.
    private func start(_ request: Request, _ context: AppContext) async throws -> Response {
        let file = try context.pathParameter("file")
        guard let profile = service.catalogue.profile(named: file) else {
            let names = service.catalogue.profiles.map(\.name).joined(separator: ", ")
            throw Problem.notFound(
                "There is no Locust file of that name in the folder of profiles; "
                    + (names.isEmpty ? "there is none at all." : "there are \(names)."))
        }
        var query = QueryReader(request)
        let users = query.optionalInteger("num_users", in: LocustOrder.users) ?? LocustOrder.defaultUsers
        let spawnRate = query.number(
            "spawn_rate", in: LocustOrder.spawnRates, default: LocustOrder.defaultSpawnRate)
        let runTime = query.duration("run_time", in: LocustOrder.runTimes, default: LocustOrder.defaultRunTime)
        try query.finish()
        let run = try await service.start(profile, users: users, spawnRate: spawnRate, runTime: runTime)
        let message =
            "Locust runs \(file) with \(users) user\(users == 1 ? "" : "s") for \(GoDuration.text(runTime))."
        return try .json(
            Started(message: run.message.map { "\(message) \($0)" } ?? message, runID: run.id),
            headers: [.location: "/api/locust/runs/\(run.id)"])
    }

    private func stop(_ request: Request, _ context: AppContext) async throws -> Response {
        guard let run = service.stop() else {
            return try .json(Stopped(status: "warning", message: "No Locust runs.", run: nil))
        }
        return try .json(Stopped(status: "success", message: "Locust ends \(run.file).", run: run.withoutSummary))
    }

    private func report(_ request: Request, _ context: AppContext) async throws -> Response {
        let page = try service.report(try context.pathParameter("id"))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: RunnerAPI.reportPolicy,
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: page)))
    }

    private struct Overview: Encodable {
        struct File: Encodable {
            let name: String
            let description: String
            let userClasses: [String]

            enum CodingKeys: String, CodingKey {
                case name, description
                case userClasses = "user_classes"
            }
        }

        let driver: String
        let obstacle: String?
        let files: [File]
        let current: LocustRun?
        let runs: [LocustRun]

        enum CodingKeys: String, CodingKey { case driver, available, obstacle, files, current, runs }

        // Written out for its nulls.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(driver, forKey: .driver)
            try container.encode(obstacle == nil, forKey: .available)
            try container.encode(obstacle, forKey: .obstacle)
            try container.encode(files, forKey: .files)
            try container.encode(current, forKey: .current)
            try container.encode(runs, forKey: .runs)
        }
    }

    private struct Started: Encodable {
        var status = "success"
        let message: String
        let runID: String

        enum CodingKeys: String, CodingKey {
            case status, message
            case runID = "run_id"
        }
    }

    private struct Stopped: Encodable {
        let status: String
        let message: String
        let run: LocustRun?

        enum CodingKeys: String, CodingKey { case status, message, run }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(status, forKey: .status)
            try container.encode(message, forKey: .message)
            try container.encode(run, forKey: .run)
        }
    }
}
