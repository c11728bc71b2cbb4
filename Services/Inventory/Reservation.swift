import Shared

/// Stock that is promised to one payment.
///
/// ```
///               confirm
///   reserved ------------> confirmed      the goods are sold
///      |  '--- release --> released       back on the shelf
///      '------ time -----> expired        back on the shelf, by itself
/// ```
struct Reservation: Sendable, Equatable {
    enum State: String, Sendable {
        case reserved, confirmed, released, expired
    }

    enum Event: Sendable {
        case confirm, release
        /// Its time is over.
        case expire
    }

    /// What an event does to the stock.
    enum Action: Sendable, Equatable {
        /// Nothing: the event repeats what happened before.
        case none
        /// The reserved goods leave the shelf.
        case sell
        /// The reserved goods can be reserved again.
        case giveBack
        /// The event contradicts what happened before.
        case refuse
    }

    let id: String
    /// The caller's name for it, or its id when the caller gave none.
    let key: String
    /// Nil when the key was released before anyone reserved with it: then it only blocks the key.
    let productID: String?
    let quantity: Int
    private(set) var state: State
    let expiresAt: UnixTime

    init(id: String, key: String, productID: String?, quantity: Int, state: State, expiresAt: UnixTime) {
        self.id = id
        self.key = key
        self.productID = productID
        self.quantity = quantity
        self.state = state
        self.expiresAt = expiresAt
    }

    func isOverdue(at now: UnixTime) -> Bool { state == .reserved && expiresAt <= now }

    /// Takes the event. Repeating one changes nothing, so callers may retry until they hear an answer.
    mutating func event(_ event: Event) -> Action {
        switch (state, event) {
        case (.reserved, .confirm):
            state = .confirmed
            return .sell
        case (.reserved, .release):
            state = .released
            return .giveBack
        case (.reserved, .expire):
            state = .expired
            return .giveBack
        case (.confirmed, .confirm), (.released, .release), (.expired, .release), (.released, .expire),
            (.expired, .expire):
            return .none
        case (.confirmed, .release), (.confirmed, .expire), (.released, .confirm), (.expired, .confirm):
            return .refuse
        }
    }
}
