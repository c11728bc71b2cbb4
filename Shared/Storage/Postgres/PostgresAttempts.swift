#if Postgres
/// Whether a transaction that failed is tried again. Pure: the store gives it the time and the randomness.
///
/// ```
///   attempt --met another transaction, lost its connection--> pause --> attempt ... --no time left--> give up
///           --a duplicate that may be another's first insert--> pause --> attempt, twice at most
///           --anything else, or the answer to COMMIT is lost---------------------> give up
/// ```
struct PostgresAttempts {
    enum Action: Equatable {
        case again(after: Duration, reconnecting: Bool)
        case giveUp
    }

    /// Two that insert one key at the same moment are told apart by one more look; a third may come between.
    static let maximumLooks = 2

    private let policy: RetryPolicy
    private var attempt = 1
    private var looks = 0

    init(policy: RetryPolicy) { self.policy = policy }

    /// - Parameter left: until the transaction must have ended.
    mutating func event(
        _ failure: PostgresFailure, left: Duration, using generator: inout some RandomNumberGenerator
    ) -> Action {
        let remedy = failure.remedy
        if remedy == .lookAgain || failure.isRefused && remedy == .reconnect { looks += 1 }
        attempt += 1
        let pause = policy.delay(beforeAttempt: attempt, using: &generator)
        guard remedy != .none, looks <= Self.maximumLooks, attempt <= policy.maxAttempts, pause < left else {
            return .giveUp
        }
        return .again(after: pause, reconnecting: remedy == .reconnect)
    }
}

extension PostgresFailure {
    fileprivate var isRefused: Bool { if case .refused = self { true } else { false } }
}
#endif
