import Experiments
import Foundation
import Testing

@Suite struct CronTests {
    private func date(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    /// 2026-11-24 is a Tuesday. Worked out by hand from the calendar.
    @Test(arguments: [
        ("*/3 * * * *", "2026-11-24T04:27:10Z", "2026-11-24T04:30:00Z"),
        ("*/3 * * * *", "2026-11-24T04:30:00Z", "2026-11-24T04:33:00Z"),
        ("*/5 * * * *", "2026-11-24T23:57:00Z", "2026-11-25T00:00:00Z"),
        ("0 2 * * *", "2026-12-31T02:00:00Z", "2027-01-01T02:00:00Z"),
        ("30 9 * * 1-5", "2026-11-27T09:30:00Z", "2026-11-30T09:30:00Z"),
        ("30 9 * * mon-FRI", "2026-11-27T09:29:59Z", "2026-11-27T09:30:00Z"),
        ("0 0 29 2 *", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 12 1 jan,JUL *", "2026-11-24T00:00:00Z", "2027-01-01T12:00:00Z"),
        ("0 12 1 jan,JUL *", "2027-01-01T12:00:00Z", "2027-07-01T12:00:00Z"),
        ("15,45 8-10/2 * * *", "2026-11-24T08:45:00Z", "2026-11-24T10:15:00Z"),
        ("15,45 8-10/2 * * *", "2026-11-24T10:45:00Z", "2026-11-25T08:15:00Z"),
        ("50/4 * * * *", "2026-11-24T04:58:00Z", "2026-11-24T05:50:00Z"),
        // A day of the month or one of the week, unless one of them is any.
        ("0 0 13 * 5", "2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 13 * 5", "2026-12-12T00:00:00Z", "2026-12-13T00:00:00Z"),
        ("0 0 13 * ?", "2026-11-24T00:00:00Z", "2026-12-13T00:00:00Z"),
        ("0 0 */10 * 5", "2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 31 * *", "2026-11-24T00:00:00Z", "2026-12-31T00:00:00Z"),
        ("0 0 31 * *", "2027-01-31T00:00:00Z", "2027-03-31T00:00:00Z"),
        ("59 59 23 31 12 *", "2026-11-24T00:00:00Z", "2026-12-31T23:59:59Z"),
        ("*/20 * * * * *", "2026-11-24T04:27:40Z", "2026-11-24T04:28:00Z"),
        ("@hourly", "2026-11-24T04:27:10Z", "2026-11-24T05:00:00Z"),
        ("@daily", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
        ("@midnight", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ("@weekly", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("@monthly", "2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("@yearly", "2026-11-24T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("@annually", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        ("@every 5m", "2026-11-24T04:27:10Z", "2026-11-24T04:32:10Z"),
        ("@every 1h30m", "2026-11-24T23:00:00Z", "2026-11-25T00:30:00Z"),
        ("@every 100ms", "2026-11-24T04:27:10Z", "2026-11-24T04:27:11Z"),
        ("@every 2500ms", "2026-11-24T04:27:10Z", "2026-11-24T04:27:12Z"),
        ("CRON_TZ=UTC 0 0 1 3 *", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z"),
        ("TZ=Etc/UTC 0 6 * * sun", "2000-02-29T00:00:00Z", "2000-03-05T06:00:00Z"),
        ("0 0 * * 4", "1969-12-30T12:00:00Z", "1970-01-01T00:00:00Z"),
    ])
    func theNextTime(expression: String, after: String, next: String) throws {
        let schedule = try CronSchedule.parse(expression)
        #expect(schedule.next(after: try date(after)) == (try date(next)))
        #expect(schedule.description == expression)
    }

    @Test func whatNeverComes() throws {
        #expect(try CronSchedule.parse("0 0 30 2 *").next(after: try date("2026-11-24T00:00:00Z")) == nil)
        // 2100 is no leap year, and eight years are more than it looks ahead.
        #expect(try CronSchedule.parse("0 0 29 2 *").next(after: try date("2096-03-01T00:00:00Z")) == nil)
    }

    @Test func fractionsOfASecondCountAsBefore() throws {
        let start = try date("2026-11-24T04:27:00Z")
        #expect(try CronSchedule.parse("@every 5s").next(after: start + 0.7) == start + 5)
        #expect(try CronSchedule.parse("28 * * * *").next(after: start + 59.999) == start + 60)
    }

    @Test(arguments: [
        "", "   ", "* * * *", "* * * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
        "* * * * 7", "* * * * funday", "*/0 * * * *", "*/x * * * *", "1-2-3 * * * *", "5-1 * * * *", "1/2/3 * * * *",
        "1,,2 * * * *", ", * * * *", "-1 * * * *", "+1 * * * *", "@reboot", "@every", "@every 5", "@every 5m 5m",
        "@hourly 5", "CRON_TZ=Europe/Berlin * * * * *", "CRON_TZ=UTC", "@every -5m",
    ])
    func refusesOtherExpressions(text: String) {
        #expect(throws: QuantityError.self) { try CronSchedule.parse(text) }
    }

    /// Against trying every minute of many days: the answer fits and none before it does.
    @Test func noTimeIsLeftOut() throws {
        var generator = SeededGenerator(seed: 5)
        let calendar = try {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
            return calendar
        }()
        for _ in 0..<40 {
            let (minute, hour) = (Int.random(in: 0...59, using: &generator), Int.random(in: 0...23, using: &generator))
            let weekday = Int.random(in: 0...6, using: &generator)
            let schedule = try CronSchedule.parse("\(minute) \(hour) * * \(weekday)")
            let start = Date(timeIntervalSince1970: Double(Int.random(in: 0...4_000_000_000, using: &generator)))
            let next = try #require(schedule.next(after: start))
            let parts = calendar.dateComponents([.minute, .hour, .weekday, .second], from: next)
            #expect(parts.minute == minute && parts.hour == hour && parts.second == 0)
            #expect(parts.weekday == weekday + 1)
            #expect(next > start && next.timeIntervalSince(start) <= 7 * 86_400)
        }
    }
}
