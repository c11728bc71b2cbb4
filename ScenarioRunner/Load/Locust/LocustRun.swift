/// A Locust run as the API, the command line and its file show it.
public struct LocustRun: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        case starting, running, stopping, finished
    }

    public enum Outcome: String, Codable, Sendable {
        /// No request failed.
        case passed
        /// Requests failed, or the profile raised exceptions.
        case failed
        /// Somebody ended it.
        case stopped
        /// There was no run to speak of.
        case error
    }

    public let id: String
    /// The profile's name.
    public let file: String
    /// `process` or `master`.
    public let driver: String
    public let users: Int
    public let spawnRate: Double
    public let runTimeS: Int
    public internal(set) var state: State
    /// Unix seconds.
    public let startedAt: Double
    public internal(set) var endedAt: Double?
    public internal(set) var outcome: Outcome?
    /// Locust's own: 0 or 1, or what the profile says; nil for a master and for a Locust that was killed.
    public internal(set) var exitCode: Int?
    /// How it ended, or what to know about it, in a sentence.
    public internal(set) var message: String?
    /// The last second, while there is any.
    public internal(set) var live: LocustSecond?
    public internal(set) var summary: LocustSummary?

    public init(_ order: LocustOrder, driver: String, startedAt: Double) {
        id = order.id
        file = order.profile.name
        self.driver = driver
        users = order.userCount
        spawnRate = order.spawnRate
        runTimeS = order.runTimeSeconds
        state = .starting
        self.startedAt = startedAt
    }

    /// The same run at its end.
    public func ended(_ end: LocustEnd, at time: Double) -> LocustRun {
        var run = self
        run.state = .finished
        run.live = nil
        run.endedAt = time
        run.exitCode = end.exitCode
        run.summary = end.summary
        (run.outcome, run.message) = judge(end)
        return run
    }

    private func judge(_ end: LocustEnd) -> (Outcome, String) {
        let isStopped = state == .stopping
        func text(_ sentence: String) -> String { message.map { "\(sentence) \($0)" } ?? sentence }
        if let problem = end.problem { return (isStopped ? .stopped : .error, text(problem)) }
        let requests = end.summary?.total.requests ?? 0
        let failures = end.summary?.total.failures ?? 0
        let exceptions = end.summary?.exceptions.count ?? 0
        var sentence =
            failures == 0 ? "None of \(requests) requests failed." : "\(failures) of \(requests) requests failed."
        if exceptions > 0 { sentence += " The file raised exceptions." }
        if isStopped { return (.stopped, text("It was stopped. \(sentence)")) }
        if requests == 0 { return (.failed, text("No request was sent.")) }
        // Locust's exit code is its verdict; a file may set it. A master has none.
        let isGood = end.exitCode.map { $0 == 0 } ?? (failures == 0 && exceptions == 0)
        return (isGood ? .passed : .failed, text(sentence))
    }

    /// What fits into an event of every second.
    public var withoutSummary: LocustRun {
        var run = self
        run.summary = nil
        return run
    }

    enum CodingKeys: String, CodingKey {
        case id, file, driver, users, state, outcome, message, live, summary
        case spawnRate = "spawn_rate"
        case runTimeS = "run_time_s"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case exitCode = "exit_code"
    }

    // Written out for its nulls: "not known yet" is an answer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(file, forKey: .file)
        try container.encode(driver, forKey: .driver)
        try container.encode(users, forKey: .users)
        try container.encode(spawnRate, forKey: .spawnRate)
        try container.encode(runTimeS, forKey: .runTimeS)
        try container.encode(state, forKey: .state)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(endedAt, forKey: .endedAt)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(exitCode, forKey: .exitCode)
        try container.encode(message, forKey: .message)
        try container.encode(live, forKey: .live)
        try container.encode(summary, forKey: .summary)
    }
}

/// How a Locust ended.
public struct LocustEnd: Sendable, Equatable {
    public var exitCode: Int?
    public var summary: LocustSummary?
    /// Why there was no run to speak of: what Locust said last.
    public var problem: String?

    public init(exitCode: Int? = nil, summary: LocustSummary? = nil, problem: String? = nil) {
        self.exitCode = exitCode
        self.summary = summary
        self.problem = problem
    }
}
