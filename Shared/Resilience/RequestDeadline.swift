import HTTPTypes

/// The moment by which the answer to the request being served must be out.
///
/// A server sets it from the header `X-Request-Deadline-Ms` (milliseconds left); everything called while serving
/// sees it through ``current``, and ``HTTPClient`` sends on what is left of it. So a chain of services shares one
/// budget, and none works on for a caller that has given up.
public struct RequestDeadline: Sendable {
    @TaskLocal public static var current: RequestDeadline?

    public let instant: ContinuousClock.Instant

    /// A deadline `budget` from now, on the monotonic clock.
    public init(after budget: Duration) {
        instant = .now.advanced(by: budget)
    }

    /// What is left; zero or negative once the deadline has passed.
    public var remaining: Duration { ContinuousClock.now.duration(to: instant) }
}

extension HTTPField.Name {
    /// `X-Request-Deadline-Ms`: a positive integer, the milliseconds that the caller will still wait.
    public static let requestDeadline: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Request-Deadline-Ms") else { preconditionFailure("not a field name") }
        return name
    }()
}
