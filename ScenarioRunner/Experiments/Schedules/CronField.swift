/// One field of a cron expression: which of up to 60 numbers fit.
struct CronField: Sendable, Equatable {
    /// What a field counts, and the words that stand for some of its numbers.
    enum Kind {
        case second, minute, hour, day, month, weekday

        var range: ClosedRange<Int> {
            switch self {
            case .second, .minute: 0...59
            case .hour: 0...23
            case .day: 1...31
            case .month: 1...12
            case .weekday: 0...6
            }
        }

        /// The first one stands for the first number of the range.
        var names: [String] {
            switch self {
            case .second, .minute, .hour, .day: []
            case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            }
        }

        var name: String {
            switch self {
            case .second: "second"
            case .minute: "minute"
            case .hour: "hour"
            case .day: "day of the month"
            case .month: "month"
            case .weekday: "day of the week"
            }
        }
    }

    private var bits: UInt64 = 0
    /// Whether it says `*` or `?`: any number. A step makes it a choice.
    private(set) var isAny = false

    static func any(_ kind: Kind) -> CronField {
        var field = CronField()
        field.isAny = true
        for number in kind.range { field.bits |= 1 << UInt64(number) }
        return field
    }

    static func only(_ number: Int) -> CronField {
        var field = CronField()
        field.bits = 1 << UInt64(number)
        return field
    }

    func contains(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

    /// Reads a list of `*`, numbers, names and ranges, each with an optional step: `*/5`, `1-5`, `mon,wed`, `10/20`
    /// (from 10 on, every 20).
    static func parse(_ text: Substring, _ kind: Kind) throws(QuantityError) -> CronField {
        var field = CronField()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let read = try parsePart(part, kind)
            field.bits |= read.bits
            field.isAny = field.isAny || read.isAny
        }
        return field
    }

    private static func parsePart(_ part: Substring, _ kind: Kind) throws(QuantityError) -> CronField {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(pieces.count) else { throw QuantityError("has too many slashes in '\(part)'") }
        var step = 1
        if pieces.count == 2 {
            guard let number = number(pieces[1]), number > 0 else {
                throw QuantityError("has a step in '\(part)' that is not a number from 1")
            }
            step = number
        }
        let isStar = pieces[0] == "*" || pieces[0] == "?"
        let range = isStar ? kind.range : try parseRange(pieces[0], isOpen: pieces.count == 2, kind)
        var field = CronField()
        for number in stride(from: range.lowerBound, through: range.upperBound, by: step) {
            field.bits |= 1 << UInt64(number)
        }
        field.isAny = isStar && step == 1
        return field
    }

    /// - Parameter isOpen: whether one number alone means "from there on".
    private static func parseRange(
        _ text: Substring, isOpen: Bool, _ kind: Kind
    ) throws(QuantityError) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(ends.count) else { throw QuantityError("has too many hyphens in '\(text)'") }
        var numbers: [Int] = []
        for end in ends {
            let named = kind.names.firstIndex(of: end.lowercased()).map { $0 + kind.range.lowerBound }
            guard let number = named ?? number(end), kind.range.contains(number) else {
                throw QuantityError(
                    "has '\(end)' as \(kind.name): it goes from \(kind.range.lowerBound) to \(kind.range.upperBound)")
            }
            numbers.append(number)
        }
        let last = ends.count == 2 ? numbers[1] : (isOpen ? kind.range.upperBound : numbers[0])
        guard numbers[0] <= last else { throw QuantityError("has the range '\(text)', which ends before it begins") }
        return numbers[0]...last
    }

    /// Digits alone: no sign.
    private static func number(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
