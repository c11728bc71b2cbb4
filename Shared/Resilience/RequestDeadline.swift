import HTTPTypes

/// How long the caller of the current request will wait. It travels with the request as milliseconds left, so that
/// no service works for an answer that nobody reads.
public struct RequestDeadline: Sendable {
    public let instant: ContinuousClock.Instant

    /// The deadline of the request that the current task works for; nil when its caller gave none.
    @TaskLocal public static var current: RequestDeadline?

    /// - Parameter duration: the time left from now.
    public init(after duration: Duration) { instant = .now.advanced(by: duration) }

    /// The time left; not positive once it has passed.
    public var remaining: Duration { ContinuousClock.now.duration(to: instant) }
}

extension HTTPField.Name {
    /// `X-Request-Deadline-Ms`: milliseconds left when the request was sent.
    public static let requestDeadline = constant("X-Request-Deadline-Ms")
}
