/// What inventory and notification say, put together by payment, small enough to keep in memory.
///
/// ```
///   inventory audit ----pages--> | payment -> reserved, confirmed | --> MoneyChecker reads it payment by payment
///   notification audit -pages--> |            notified            |
/// ```
///
/// One entry takes about 32 bytes whatever its key is: keys are kept as 128-bit hashes, in which two of a million keys
/// coincide with a probability below 10^-26.
public struct MoneyBooks: Sendable {
    /// The books are too large for one check.
    public struct TooLarge: Error, CustomStringConvertible {
        let maximumKeys: Int
        public var description: String { "the books have more than \(maximumKeys) keys; check them in a fresh lab" }
    }

    /// Counts stop at 255.
    struct Entry: Equatable {
        var reserved: UInt8 = 0
        var confirmed: UInt8 = 0
        var notified: UInt8 = 0
    }

    /// About 250 MB when full; a run has half a million requests at most.
    public static let defaultMaximumKeys = 4_000_000

    private var entries: [Fingerprint: Entry] = [:]
    private let maximumKeys: Int
    /// What is wrong without a look at the payments.
    private(set) var found = MoneyCheck()
    /// Entries that were looked at, to show that the check is linear.
    private(set) var steps = 0

    public init(maximumKeys: Int = MoneyBooks.defaultMaximumKeys) { self.maximumKeys = maximumKeys }

    /// - Throws: ``TooLarge``.
    public mutating func add(_ page: InventoryAuditPage) throws(TooLarge) {
        for total in page.totals { check(total) }
        for reservation in page.reservations {
            switch reservation.state {
            case .reserved: try change(reservation.key) { $0.reserved.count() }
            case .confirmed: try change(reservation.key) { $0.confirmed.count() }
            case .released, .expired: steps += 1
            }
        }
    }

    /// - Throws: ``TooLarge``.
    public mutating func add(_ page: NotificationAuditPage) throws(TooLarge) {
        for notification in page.notifications {
            guard let key = notification.key else { continue }
            let entry = try change(key) { $0.notified.count() }
            if entry.notified == 2 {
                found.report(
                    MoneyViolation(
                        rule: .successIsComplete, paymentID: key, text: "a second notification has the same key",
                        history: ["notification \(notification.id): key \(key)"]))
            }
        }
    }

    func entry(_ key: String) -> Entry { entries[Fingerprint(key)] ?? Entry() }

    private mutating func check(_ total: InventoryAuditPage.Total) {
        steps += 1
        let parts = [total.onHand, total.reserved, total.sold]
        let whole = Int128(total.initial) + Int128(total.restocked)
        guard parts.reduce(Int128(0), { $0 + Int128($1) }) != whole || parts.contains(where: { $0 < 0 }) else { return }
        found.report(
            MoneyViolation(
                rule: .stockIsConserved,
                text: "product \(total.productID): \(total.onHand) on hand + \(total.reserved) reserved + "
                    + "\(total.sold) sold, but \(total.initial) initial + \(total.restocked) restocked"))
    }

    @discardableResult
    private mutating func change(_ key: String, _ change: (inout Entry) -> Void) throws(TooLarge) -> Entry {
        steps += 1
        let fingerprint = Fingerprint(key)
        var entry = entries[fingerprint] ?? Entry()
        change(&entry)
        entries[fingerprint] = entry
        if entries.count > maximumKeys { throw TooLarge(maximumKeys: maximumKeys) }
        return entry
    }
}

/// A text as 128 bits: two keyed hashes of this process.
struct Fingerprint: Hashable, Sendable {
    private let high: Int
    private let low: Int

    init(_ text: String) {
        var first = Hasher()
        first.combine(text)
        high = first.finalize()
        var second = Hasher()
        second.combine(1)
        second.combine(text)
        low = second.finalize()
    }
}

extension UInt8 {
    fileprivate mutating func count() { if self < .max { self += 1 } }
}
