import Foundation

/// Numbers as people read them, in one place for all reports.
enum NumberText {
    /// `99.95 %`, but `100 %` only when it is: one failure in ten thousand must show. Of a share from 0 to 1.
    static func percent(_ share: Double) -> String { ReportTable.percent(share) }

    /// `0.42 ms`, `12.3 ms`, `1.25 s`.
    static func latency(_ ms: Double) -> String { ReportTable.duration(ms) }

    /// For the scale of a chart: `0`, `250 ms`, `5 s`.
    static func tickLatency(_ ms: Double) -> String {
        if ms == 0 { return "0" }
        return ms < 1000 ? "\(short(ms)) ms" : "\(short(ms / 1000)) s"
    }

    /// Up to three significant digits without noughts at the end, thousands as `k`: `0.5`, `20`, `1.5 k`.
    static func short(_ value: Double) -> String {
        abs(value) >= 10_000 ? "\(short(value / 1000)) k" : String(format: "%.3g", value)
    }

    /// `1 234`: digits in threes, for counts.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var groups: [Substring] = []
        var rest = digits[...]
        while rest.count > 3 {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        groups.insert(rest, at: 0)
        return (value < 0 ? "\u{2212}" : "") + groups.joined(separator: "\u{202F}")
    }

    /// `12 s`, `2 min 30 s`.
    static func span(_ seconds: Double) -> String {
        guard seconds >= 120 else {
            return seconds == seconds.rounded() ? "\(Int(seconds)) s" : String(format: "%.1f s", seconds)
        }
        let whole = Int(seconds.rounded())
        return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
    }

    /// `2026-11-25 09:22:31 UTC`, of Unix seconds.
    static func time(_ unixSeconds: Double) -> String {
        guard unixSeconds.isFinite, abs(unixSeconds) < 1e11 else { return "-" }
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) UTC
                """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt,
            calendar: Calendar(identifier: .gregorian))
        return Date(timeIntervalSince1970: unixSeconds).formatted(style)
    }
}
