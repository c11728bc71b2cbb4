import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import Shared
import Verdict

/// Experiments and runs: the catalogue, the start and stop of runs, their journals, and the old system's triggers.
struct RunsController: Sendable {
    let manager: RunManager
    let engine: any ChaosEngine
    let experiments: ExperimentFolder
    let profilesFolder: String
    let cooldownMinutes: Double
    /// How long a trigger waits for its fault to be in force; nil where that takes no longer than the answer.
    var injectionTime: Duration?

    var routes: [Route] {
        [
            .get("/api/experiments") { _, _ in try .json(experiments.contents.documents) },
            .get("/api/experiments/problems") { _, _ in
                try .json(CatalogueProblems(experiments.contents.catalogue))
            },
            .get("/api/experiments/{name}/plan", plan),
            .post("/api/runs", start),
            .get("/api/runs") { _, _ in try .json(RunList(runs: manager.views)) },
            .get("/api/runs/{id}", details),
            .post("/api/runs/{id}/stop") { _, context in try .json(manager.stop(try context.pathParameter("id"))) },
            .post("/api/trigger_chaos/{name}") { try await trigger($0, $1, stress: false) }.withScenarioErrors,
            .post("/api/trigger_stress/{name}") { try await trigger($0, $1, stress: true) }.withScenarioErrors,
            .get("/api/chaos-rate-limit-status") { _, _ in try .json(manager.rateLimitStatus) },
            .post("/api/chaos-rate-limit-reset") { _, _ in
                manager.resetRateLimit()
                return try .json(Message(message: "Chaos rate limit reset. Running experiments keep their places."))
            },
        ]
    }

    private func plan(_ request: Request, _ context: AppContext) async throws -> Response {
        let experiment = try experiment(named: try context.pathParameter("name"))
        var query = QueryReader(request)
        let seed = query.optionalInteger("seed", in: 0...Int(RunRequest.seeds.upperBound))
        try query.finish()
        let chosen = seed.map(UInt64.init) ?? .random(in: RunRequest.seeds)
        do {
            return try .json(
                PlanDocument(experiment, engine: engine, seed: chosen, isTooWide: manager.isTooWide))
        } catch {
            throw Problem.answer(to: error)
        }
    }

    // MARK: Runs

    private func start(_ request: Request, _ context: AppContext) async throws -> Response {
        let body: RunBody = try await request.json()
        let profile = try body.profile.map { try LoadController.profile(named: $0, in: profilesFolder) } ?? .usual
        let view = try await manager.startWhenReady(
            body.request(try experiment(named: body.experiment), profile: profile))
        return try .json(view, status: .accepted, headers: [.location: "/api/runs/\(view.id)"])
    }

    private func details(_ request: Request, _ context: AppContext) async throws -> Response {
        let (view, journal) = try manager.details(try context.pathParameter("id"))
        return try .json(RunDetails(view: view, journal: journal))
    }

    // MARK: The old system's endpoints

    /// Starts one fault without load, for its manifest's duration.
    private func trigger(_ request: Request, _ context: AppContext, stress: Bool) async throws -> Response {
        let name = try context.pathParameter("name")
        let experiment = try experiment(named: name)
        guard (experiment.kind == "StressChaos") == stress else {
            throw Problem.notFound(
                "\(name) is a \(experiment.kind): use /api/trigger_\(stress ? "chaos" : "stress")/\(name).")
        }
        let duration = RunRequest.triggerDuration(of: experiment)
        let view = try await manager.startWhenReady(
            RunRequest(
                experiment: experiment, origin: .api, baseline: .zero, duration: duration, recovery: .zero, rate: 0,
                seed: .random(in: RunRequest.seeds)))
        if let injectionTime { try await manager.waitForFault(of: view.id, within: injectionTime) }
        return try .json(
            TriggerAnswer(
                message: "\(name) started for \(GoDuration.text(duration)).", runID: view.id,
                cooldownMinutes: cooldownMinutes))
    }

    // MARK: The catalogue

    private func experiment(named name: String) throws -> Experiment {
        let catalogue = experiments.contents.catalogue
        if let experiment = catalogue.experiment(named: name) { return experiment }
        let problems = catalogue.problems.map(\.description)
        let hint = problems.isEmpty ? "" : " Some files do not load: \(problems.joined(separator: "; "))"
        throw Problem.notFound("There is no experiment \(name); GET /api/experiments lists them.\(hint)")
    }
}

private struct RunList: Encodable {
    let runs: [RunView]
}

private struct RunDetails: Encodable {
    let view: RunView
    let journal: Journal?

    enum CodingKeys: String, CodingKey { case journal }

    func encode(to encoder: any Encoder) throws {
        try view.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(journal, forKey: .journal)
    }
}

private struct TriggerAnswer: Encodable {
    var status = "success"
    let message: String
    let runID: String
    let cooldownMinutes: Double

    enum CodingKeys: String, CodingKey {
        case status, message
        case runID = "run_id"
        case cooldownMinutes = "cooldown_minutes"
    }
}

private struct Message: Encodable {
    var status = "success"
    let message: String
}
