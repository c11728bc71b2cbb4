import Experiments
import Foundation

/// How much load and when, as people ask for it on the command line and through the API.
public struct LoadShape: Codable, Sendable, Equatable {
    public enum Model: String, Codable, Sendable, CaseIterable {
        case open, closed
    }

    public var model = Model.open
    public var arrivals = ArrivalSchedule.Arrivals.constant
    /// Requests a second, in an open model.
    public var rate = defaultRate
    public var durationMs = 30_000
    /// Instead of rate and duration: `100/30s,100..500/1m`.
    public var ramp: String?
    /// In a closed model.
    public var users = 10
    /// Between an answer and the next request, in a closed model.
    public var thinkMs = 0

    public static let defaultRate = 20.0

    enum CodingKeys: String, CodingKey {
        case model, arrivals, rate, ramp, users
        case durationMs = "duration_ms"
        case thinkMs = "think_ms"
    }

    public init() {}

    /// - Throws: ``LoadPlanError`` that names what is out of its range.
    public func planModel() throws(LoadPlanError) -> LoadPlan.Model {
        let duration = Duration.milliseconds(durationMs)
        switch model {
        case .closed:
            guard ramp == nil else { throw LoadPlanError("a ramp needs the open model") }
            return .closed(users: users, thinkTime: .milliseconds(thinkMs), duration: duration)
        case .open:
            guard let ramp else {
                return .open(try ArrivalSchedule(rate: rate, duration: duration, arrivals: arrivals))
            }
            return .open(try ArrivalSchedule(ArrivalSchedule.Segment.parseList(ramp), arrivals: arrivals))
        }
    }
}
