/// What the comparison of the books found.
public struct MoneyCheck: Codable, Sendable, Equatable {
    /// The first ones, at most ``maximumReported``.
    public private(set) var violations: [MoneyViolation]
    /// All of them.
    public private(set) var violationCount: Int
    /// Payments that were compared; 0 when nobody looked.
    public internal(set) var checked: Int
    /// Why the books could not be compared, or not to their end; nil when they were.
    public let notChecked: String?

    /// Of a run whose books nobody has looked at.
    public static let notMade = MoneyCheck(notChecked: "nobody looked")

    /// A bug breaks thousands of payments alike; a reader needs a few.
    public static let maximumReported = 100

    public init(violations: [MoneyViolation] = [], checked: Int = 0, notChecked: String? = nil) {
        self.violations = Array(violations.prefix(Self.maximumReported))
        violationCount = violations.count
        self.checked = checked
        self.notChecked = notChecked
    }

    /// - Parameter violation: is built only when there is room for it.
    mutating func report(_ violation: @autoclosure () -> MoneyViolation) {
        violationCount += 1
        if violations.count < Self.maximumReported { violations.append(violation()) }
    }

    /// Takes over the violations of another part of the check.
    mutating func add(_ other: MoneyCheck) {
        violations += other.violations.prefix(Self.maximumReported - violations.count)
        violationCount += other.violationCount
    }

    /// The finding as a reason for the verdict.
    var reason: String {
        if violationCount > 0 {
            return "the money is wrong: \(violationCount) violations, the first: \(violations.first?.line ?? "")"
        }
        if let notChecked { return "the money was not checked: \(notChecked)" }
        return checked > 0 ? "the money is right" : "the money is right: nobody paid"
    }

    private enum CodingKeys: String, CodingKey {
        case violations, checked
        case violationCount = "violation_count"
        case notChecked = "not_checked"
    }
}
