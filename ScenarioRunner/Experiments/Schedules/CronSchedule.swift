import Foundation

/// When a schedule starts its experiment, in UTC.
///
/// Chaos Mesh reads expressions with robfig/cron v3: five fields (minute, hour, day of the month, month, day of the
/// week), six with a second in front, or a descriptor: `@every 5m`, `@hourly`, `@daily`, `@midnight`, `@weekly`,
/// `@monthly`, `@yearly`, `@annually`. A day fits when the day of the month *or* that of the week does, unless one of
/// them is `*`. Its zone is that of the controller, mostly UTC; `TZ=UTC` and `CRON_TZ=UTC` in front say so, and other
/// zones are refused.
public struct CronSchedule: Sendable, Equatable, CustomStringConvertible {
    private enum Rule: Sendable, Equatable {
        case fields(
            second: CronField, minute: CronField, hour: CronField, day: CronField, month: CronField,
            weekday: CronField)
        /// Whole seconds, 1 or more.
        case every(seconds: Int64)
    }

    /// As written.
    public let description: String
    private let rule: Rule

    /// A time that does not come in five years never comes: 30 February.
    private static let yearsAhead: Int64 = 5

    /// - Throws: ``QuantityError`` for what robfig/cron refuses, and for empty parts of lists and signs, which it takes.
    public static func parse(_ text: String) throws(QuantityError) -> CronSchedule {
        var words = text.split { $0 == " " || $0 == "\t" }[...]
        if let zone = words.first, zone.hasPrefix("TZ=") || zone.hasPrefix("CRON_TZ=") {
            guard ["UTC", "Etc/UTC"].contains(zone.drop { $0 != "=" }.dropFirst()) else {
                throw QuantityError("names a time zone: schedules run in UTC")
            }
            words.removeFirst()
        }
        guard let first = words.first else { throw QuantityError("is empty: write five fields or @every 5m") }
        let rule = first.hasPrefix("@") ? try descriptor(first, words.dropFirst()) : try fields(Array(words))
        return CronSchedule(description: text, rule: rule)
    }

    private static func fields(_ words: [Substring]) throws(QuantityError) -> Rule {
        guard (5...6).contains(words.count) else {
            throw QuantityError("has \(words.count) fields: write minute, hour, day, month and day of the week")
        }
        let five = words.suffix(5).map { $0 }
        return .fields(
            second: words.count == 6 ? try .parse(words[0], .second) : .only(0), minute: try .parse(five[0], .minute),
            hour: try .parse(five[1], .hour), day: try .parse(five[2], .day), month: try .parse(five[3], .month),
            weekday: try .parse(five[4], .weekday))
    }

    private static func descriptor(
        _ name: Substring, _ rest: ArraySlice<Substring>
    ) throws(QuantityError) -> Rule {
        if name == "@every", rest.count == 1, let text = rest.first {
            let duration = try GoDuration.parse(String(text))
            return .every(seconds: max(1, duration.components.seconds))
        }
        let expressions = [
            "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
            "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
        ]
        guard rest.isEmpty, let expression = expressions[String(name)] else {
            let known = expressions.keys.sorted().joined(separator: ", ")
            throw QuantityError("is no schedule: after @ comes 'every' with a duration, or use \(known)")
        }
        return try fields(expression.split(separator: " "))
    }

    /// The first time after `date`, on a whole second; nil when there is none in the next five years.
    public func next(after date: Date) -> Date? {
        let now = Int64(date.timeIntervalSince1970.rounded(.down))
        switch rule {
        case .every(let seconds):
            return Date(timeIntervalSince1970: Double(now + seconds))
        case .fields(let second, let minute, let hour, let day, let month, let weekday):
            var time = CivilTime(unixSeconds: now + 1)
            let lastYear = time.year + Self.yearsAhead
            while time.year <= lastYear {
                let (fits, alsoFits) = (day.contains(time.day), weekday.contains(time.weekday))
                let isDay = day.isAny || weekday.isAny ? fits && alsoFits : fits || alsoFits
                if isDay, month.contains(time.month),
                    let found = Self.first(from: time.secondOfDay, hour, minute, second)
                {
                    return Date(timeIntervalSince1970: Double(time.unixDay * CivilTime.daySeconds + Int64(found)))
                }
                time = CivilTime(unixSeconds: (time.unixDay + 1) * CivilTime.daySeconds)
            }
            return nil
        }
    }

    /// The first second of a day from `start` on that fits.
    private static func first(
        from start: Int, _ hour: CronField, _ minute: CronField, _ second: CronField
    ) -> Int? {
        for h in start / 3600..<24 where hour.contains(h) {
            for m in 0..<60 where minute.contains(m) && h * 3600 + m * 60 + 59 >= start {
                for s in 0..<60 where second.contains(s) && h * 3600 + m * 60 + s >= start {
                    return h * 3600 + m * 60 + s
                }
            }
        }
        return nil
    }
}

/// A time of the Gregorian calendar in UTC, which has no leap seconds and no summer time.
struct CivilTime {
    static let daySeconds: Int64 = 86_400

    /// Days since 1970-01-01.
    let unixDay: Int64
    let secondOfDay: Int
    let year: Int64
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    /// 0 is Sunday.
    var weekday: Int { Int(((unixDay + 4) % 7 + 7) % 7) }

    init(unixSeconds: Int64) {
        let (whole, rest) = unixSeconds.quotientAndRemainder(dividingBy: Self.daySeconds)
        unixDay = rest < 0 ? whole - 1 : whole
        secondOfDay = Int(rest < 0 ? rest + Self.daySeconds : rest)
        // Years begin in March here, so that the leap day is the last of its year. An era is 400 years, 146 097 days;
        // the first one counted begins on 0000-03-01, 719 468 days before 1970.
        let shifted = unixDay + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Five months from March on have 153 days, and so have the next five.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
