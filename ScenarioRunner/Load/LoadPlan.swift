import Experiments
import HTTPTypes

/// A load, every request of it decided beforehand by its seed, but for what it recalls from answers.
public struct LoadPlan: Sendable, Equatable {
    /// When requests are sent.
    public enum Model: Sendable, Equatable {
        /// Users who do not know of each other.
        case open(ArrivalSchedule)
        /// A fixed number of users, each of whom waits for the answer and thinks before the next request. For
        /// comparison: its users stand in line while the system does not answer, and so it cannot see how many would
        /// have come (G. Tene: "coordinated omission").
        case closed(users: Int, thinkTime: Duration, duration: Duration)
    }

    public static let users = 1...10_000

    public let model: Model
    /// Decides the arrivals, the mix and the bodies.
    public let seed: UInt64
    /// Makes keys unique: a repeated run with one seed must not be answered from the store of the first.
    public let runID: String
    public let requests: [RequestTemplate]
    /// Of one request, in all.
    public let timeout: Duration
    /// Requests that may be under way at a time; more are dropped, and counted.
    public let maximumInFlight: Int

    public static let timeouts = Duration.milliseconds(1)...Duration.seconds(600)
    public static let defaultMaximumInFlight = 4096

    /// - Throws: ``LoadPlanError`` when a number is out of its range, there are no requests, or one of them recalls
    ///   what none remembers.
    public init(
        model: Model, seed: UInt64, runID: String, requests: [RequestTemplate], timeout: Duration = LoadPlan.patience,
        maximumInFlight: Int = LoadPlan.defaultMaximumInFlight
    ) throws(LoadPlanError) {
        guard !requests.isEmpty else { throw LoadPlanError("the load has no requests") }
        guard Self.timeouts.contains(timeout) else {
            throw LoadPlanError("the timeout must be from 1ms to 10m")
        }
        guard (1...65_536).contains(maximumInFlight) else {
            throw LoadPlanError("the number of requests under way must be from 1 to 65536")
        }
        if case .closed(let users, let thinkTime, let duration) = model {
            guard Self.users.contains(users) else { throw LoadPlanError("there must be from 1 to 10000 users") }
            guard duration > .zero, duration <= ArrivalSchedule.longest, thinkTime >= .zero,
                thinkTime <= ArrivalSchedule.longest
            else { throw LoadPlanError("the load must last more than 0 s and at most 24 h") }
        }
        for request in requests {
            for name in request.recalls.sorted() where RequestMix.source(of: name, in: requests) == nil {
                throw LoadPlanError(
                    "request \(request.name) recalls '\(name)', which no request remembers without recalling itself")
            }
        }
        self.model = model
        self.seed = seed
        self.runID = runID
        self.requests = requests
        self.timeout = timeout
        // Whoever waits for answers sends nothing meanwhile: there is nothing to drop.
        if case .closed(let users, _, _) = model {
            self.maximumInFlight = users
        } else {
            self.maximumInFlight = maximumInFlight
        }
    }

    /// How long a user of a run waits for an answer: as long as the replaced system's test script did.
    public static let patience = Duration.seconds(5)

    /// From the first request to the last.
    public var duration: Duration {
        switch model {
        case .open(let schedule): schedule.duration
        case .closed(_, _, let duration): duration
        }
    }

    /// The name of the model, as summaries give it.
    public var modelName: String { if case .open = model { "open" } else { "closed" } }

    /// About how many requests it can come to: of an open model, those that are due; of a closed one, as many as its users
    /// could send to a system that answers in a millisecond.
    public var mostRequests: Double {
        switch model {
        case .open(let schedule): schedule.expectedRequests
        case .closed(let users, _, let duration): Double(users) * duration.inSeconds * 1000
        }
    }

    /// Whether the generator has time left between requests, whatever the system does: its rate is known, and far below
    /// what one processor can send.
    var isModerate: Bool {
        guard case .open(let schedule) = model else { return false }
        return schedule.segments.allSatisfy { max($0.from, $0.to) <= Self.moderateRate }
    }

    private static let moderateRate = 10_000.0

    /// Nil in a closed model.
    public var arrivals: ArrivalSchedule.Arrivals? {
        if case .open(let schedule) = model { schedule.arrivals } else { nil }
    }
}
