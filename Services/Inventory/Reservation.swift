import Shared

/// Stock that is promised to one payment.
///
/// ```
///               confirm
///   reserved ------------> confirmed <----.       the goods are sold
///      |  '--- release --> released <--.  |       back on the shelf
///      '------ time -----> expired ----'--'       back on the shelf, by itself
///                               release  confirm, while there still is enough
/// ```
///
/// Who confirms has taken the customer's money. So a confirmation that comes too late takes the goods again; while
/// there are not enough, it is refused, and whoever repeats it until it is not holds a back order.
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
        /// Goods that are not reserved any more leave the shelf.
        case sellFromShelf
        /// The reserved goods can be reserved again.
        case giveBack
        /// No goods move, but the state is another one.
        case note
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
    ///
    /// - Parameter free: units of the product that nobody has reserved.
    mutating func event(_ event: Event, free: Int) -> Action {
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
        case (.expired, .confirm):
            guard quantity <= free else { return .refuse }
            state = .confirmed
            return .sellFromShelf
        case (.expired, .release):
            // From here on it stays released, whatever comes late.
            state = .released
            return .note
        case (.confirmed, .confirm), (.released, .release), (.released, .expire), (.expired, .expire):
            return .none
        case (.confirmed, .release), (.confirmed, .expire), (.released, .confirm):
            return .refuse
        }
    }
}
