import Shared

/// What the users met in a part of a run or in its last seconds, as plain numbers; nil is not measured.
public struct MeasuredPart: Sendable, Equatable {
    /// Percent of requests, 0 to 100.
    public var successPercent: Double?
    public var declinedPercent: Double?
    /// Successful answers a second.
    public var throughputRps: Double?
    public var p50Ms: Double?
    public var p90Ms: Double?
    public var p95Ms: Double?
    public var p99Ms: Double?
    public var p999Ms: Double?
    public var maxMs: Double?

    public init() {}

    func value(of metric: Metric) -> Double? {
        switch metric {
        case .success: successPercent
        case .declined: declinedPercent
        case .throughput: throughputRps
        case .p50: p50Ms
        case .p90: p90Ms
        case .p95: p95Ms
        case .p99: p99Ms
        case .p999: p999Ms
        case .max: maxMs
        }
    }
}

/// A number that a part of a run has.
public enum Metric: String, Sendable, CaseIterable {
    case success, declined
    case throughput
    case p50, p90, p95, p99, p999, max

    enum Unit {
        case percent, perSecond, milliseconds
    }

    var unit: Unit {
        switch self {
        case .success, .declined: .percent
        case .throughput: .perSecond
        case .p50, .p90, .p95, .p99, .p999, .max: .milliseconds
        }
    }
}

public enum Comparison: String, Sendable, CaseIterable {
    case less = "<"
    case atMost = "<="
    case more = ">"
    case atLeast = ">="

    public func holds(_ value: Double, _ threshold: Double) -> Bool {
        switch self {
        case .less: value < threshold
        case .atMost: value <= threshold
        case .more: value > threshold
        case .atLeast: value >= threshold
        }
    }
}

/// A value with its unit, as it is compared: `30%`, `5s`, `20/s`.
public struct Threshold: Sendable, Equatable, CustomStringConvertible {
    /// In percent, milliseconds, or answers a second.
    public let value: Double
    public let description: String

    static func parse(_ text: Substring, _ unit: Metric.Unit) throws(QuantityError) -> Threshold {
        switch unit {
        case .percent:
            guard text.hasSuffix("%"), let percent = try? Percentage.parse(String(text.dropLast())) else {
                throw QuantityError("has '\(text)' where a share such as 30% must stand")
            }
            return Threshold(value: Double(percent.basisPoints) / 100, description: "\(percent)%")
        case .perSecond:
            guard text.hasSuffix("/s"), let decimal = DecimalText(text.dropLast(2)),
                let thousandths = decimal.scaled(by: 1000)
            else { throw QuantityError("has '\(text)' where a number a second such as 20/s must stand") }
            return Threshold(value: Double(thousandths) / 1000, description: String(text))
        case .milliseconds:
            guard let duration = try? GoDuration.parse(String(text)) else {
                throw QuantityError("has '\(text)' where a time such as 500ms or 5s must stand")
            }
            return Threshold(value: duration.milliseconds, description: GoDuration.text(duration))
        }
    }

    /// A measured value with the unit of `metric`, for people: `42.3%`, `812 ms`.
    static func text(_ value: Double, _ unit: Metric.Unit) -> String {
        let tenths = (value * 10).rounded() / 10
        let number = tenths == tenths.rounded() ? "\(Int(tenths.rounded()))" : "\(tenths)"
        switch unit {
        case .percent: return "\(number)%"
        case .perSecond: return "\(number)/s"
        case .milliseconds: return "\(number)ms"
        }
    }
}
