import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import Shared

/// Load without chaos: the profiles, and one load at a time.
struct LoadController: Sendable {
    let manager: LoadManager
    /// Read anew for every request, so that a changed file counts at once.
    let profilesFolder: String
    let targets: LoadProfile.Targets

    var routes: [Route] {
        [
            .get("/api/load-profiles") { _, _ in try .json(LoadProfileList(.load(folder: profilesFolder))) },
            .post("/api/load", start),
            .get("/api/load", current),
            .post("/api/load/stop") { _, _ in try .json(manager.stop()) },
        ]
    }

    private func start(_ request: Request, _ context: AppContext) async throws -> Response {
        let body: LoadBody = try await request.json()
        let profile =
            try body.profileYAML.map(Self.profile(yaml:))
            ?? Self.profile(named: body.profile ?? "", in: profilesFolder)
        var order = LoadWorkerOrder(
            profile, shape: body.shape, seed: body.seed ?? .random(in: RunRequest.seeds),
            runID: Identifier.make(prefix: "LOAD"), targets: targets)
        order.timeoutMs = body.timeoutMs
        order.baseURL = body.baseURL
        do {
            _ = try order.plan()
        } catch {
            throw Problem(.unprocessableContent, "\(error)")
        }
        let view = try manager.start(order, profile: profile.name)
        return try .json(view, status: .accepted, headers: [.location: "/api/load"])
    }

    private func current(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let since = query.optionalInteger("since", in: 0...Int(Int32.max)) ?? 0
        try query.finish()
        guard let (view, seconds) = manager.current(since: since) else {
            throw Problem.notFound("No load has been started; POST /api/load starts one.")
        }
        return try .json(LoadDetails(view: view, seconds: seconds))
    }

    // MARK: Profiles

    /// - Throws: ``Problem`` 404 for a name that no file has, with what is wrong with the files that do not load.
    static func profile(named name: String, in folder: String) throws -> LoadProfile {
        let catalogue = LoadProfileCatalogue.load(folder: folder)
        if let profile = catalogue.profile(named: name) { return profile }
        let problems = catalogue.problems.map(\.description)
        let hint = problems.isEmpty ? "" : " Some files do not load: \(problems.joined(separator: "; "))"
        throw Problem.notFound("There is no load profile \(name); GET /api/load-profiles lists them.\(hint)")
    }

    private static func profile(yaml text: String) throws -> LoadProfile {
        do throws(Refusal) {
            return try LoadProfile.load(text, file: "profile_yaml")
        } catch {
            throw Problem(.unprocessableContent, error.description)
        }
    }
}

/// The body of `POST /api/load`.
struct LoadBody: Decodable {
    /// A name, unless there is a text.
    let profile: String?
    /// The text of a profile that is in no folder.
    let profileYAML: String?
    /// Instead of the profile's own, as the users' host reaches it.
    let baseURL: String?
    let shape: LoadShape
    let timeoutMs: Int
    let seed: UInt64?

    private static let maxProfileLength = 60_000

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let yaml = fields.optionalText("profile_yaml", maxLength: Self.maxProfileLength)
        let (profile, baseURL) = (fields.optionalText("profile"), fields.optionalText("base_url"))
        if let url = baseURL ?? nil, !LoadProfile.isBaseURL(url) {
            fields.reject("base_url", "must be like http://payment-service:5002")
        }
        if !fields.contains("profile"), !fields.contains("profile_yaml") { fields.reject("profile", "is required") }
        let model = fields.text("model", default: LoadShape.Model.open.rawValue).map(LoadShape.Model.init(rawValue:))
        if case .some(.none) = model { fields.reject("model", "must be open or closed") }
        let arrivals = fields.arrivals()
        let duration = fields.duration("duration", default: .seconds(30), atMost: ArrivalSchedule.longest)
        let rate = fields.rate("rate", default: LoadShape.defaultRate)
        let ramp = fields.optionalText("ramp", maxLength: 4096)
        let users = fields.integer("users", in: LoadPlan.users, default: 10)
        let think = fields.integer("think_ms", in: 0...3_600_000, default: 0)
        let timeout = fields.integer("timeout_ms", in: 1...600_000, default: 5000)
        let seed = fields.contains("seed") ? fields.integer("seed", in: 0...Int(RunRequest.seeds.upperBound)) : nil
        var shape = LoadShape()
        var time = Duration.zero
        (self.profile, profileYAML, self.baseURL, timeoutMs) = try fields.require(profile, yaml, baseURL, timeout)
        (shape.model, shape.arrivals, time, shape.rate, shape.ramp, shape.users, shape.thinkMs) =
            try fields.require(model ?? nil, arrivals, duration, rate, ramp, users, think)
        shape.durationMs = Int(time.nanoseconds / 1_000_000)
        self.shape = shape
        self.seed = seed.map(UInt64.init)
    }
}

extension FieldReader {
    /// Requests a second.
    fileprivate func rate(_ name: String, default fallback: Double) -> Double? {
        guard contains(name) else { return fallback }
        guard let text = decimalText(name) else { return nil }
        guard let rate = Double(text), ArrivalSchedule.rates.contains(rate) else {
            reject(name, "must be a number from 0.1 to 100000")
            return nil
        }
        return rate
    }
}

private struct LoadDetails: Encodable {
    let view: LoadView
    let seconds: [LoadSecond]

    enum CodingKeys: String, CodingKey { case seconds }

    func encode(to encoder: any Encoder) throws {
        try view.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(seconds, forKey: .seconds)
    }
}

private struct LoadProfileList: Encodable {
    struct Entry: Encodable {
        let name: String
        let description: String
        let file: String
        let baseURL: String?
        let requests: [String]
        let thresholds: [String]

        enum CodingKeys: String, CodingKey {
            case name, description, file, requests, thresholds
            case baseURL = "base_url"
        }
    }

    let profiles: [Entry]
    let problems: [FileProblem]

    init(_ catalogue: LoadProfileCatalogue) {
        profiles = catalogue.profiles.map {
            Entry(
                name: $0.name, description: $0.description, file: $0.file, baseURL: $0.baseURL,
                requests: $0.requestNames, thresholds: $0.thresholds.map(\.description))
        }
        problems = catalogue.problems.map(FileProblem.init)
    }
}
