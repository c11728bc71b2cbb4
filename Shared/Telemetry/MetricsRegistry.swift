import CoreMetrics
import Synchronization

/// The process's metrics, rendered in the Prometheus text format (version 0.0.4).
///
/// ```
///   Counter, Timer, Meter (swift-metrics) --> series by (name, labels) --render--> GET /metrics
/// ```
///
/// The same name and labels always give the same series. Timers are histograms in seconds. Beyond
/// ``maxSeries`` new series are dropped, and counted in `metrics_series_dropped_total`.
public final class MetricsRegistry: MetricsFactory, Sendable {
    public static let maxSeries = 2000
    /// Upper bounds in seconds: from a memory access to a gateway that times out.
    public static let bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    struct Key: Hashable {
        let name: String
        let labels: String
    }

    enum Series {
        case counter(Int64)
        case gauge(Double)
        case histogram(counts: [UInt64], sum: Double)

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct State {
        var series: [Key: Series] = [:]
        var dropped: Int64 = 0
    }
    private let state = Mutex(State())

    public init() {}

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(registry: self, label: label, dimensions: dimensions, initial: .counter(0))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Handler(registry: self, label: label, dimensions: dimensions, initial: .gauge(0))
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let empty = Series.histogram(counts: Array(repeating: 0, count: Self.bucketsSeconds.count + 1), sum: 0)
        return Handler(
            registry: self, label: label, dimensions: dimensions, initial: aggregate ? empty : .gauge(0))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let empty = Series.histogram(counts: Array(repeating: 0, count: Self.bucketsSeconds.count + 1), sum: 0)
        return Handler(registry: self, label: label, dimensions: dimensions, initial: empty)
    }

    // Series live as long as the process: a scraper wants the last value of what has ended.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// The text of `GET /metrics`: families sorted by name, `# TYPE` once each.
    public func render() -> String {
        let (series, dropped) = state.withLock { ($0.series, $0.dropped) }
        var lines: [String] = []
        for (name, family) in Dictionary(grouping: series, by: \.key.name).sorted(by: { $0.key < $1.key }) {
            guard let type = family.first?.value.type else { continue }
            lines.append("# TYPE \(name) \(type)")
            for (key, value) in family.sorted(by: { $0.key.labels < $1.key.labels }) {
                lines += Self.lines(key, value)
            }
        }
        lines.append("# TYPE metrics_series_dropped_total counter")
        lines.append("metrics_series_dropped_total \(dropped)")
        return lines.joined(separator: "\n") + "\n"
    }

    fileprivate func register(_ key: Key, initial: Series) {
        state.withLock { state in
            guard state.series[key] == nil else { return }
            guard state.series.count < Self.maxSeries else {
                state.dropped += 1
                return
            }
            state.series[key] = initial
        }
    }

    /// Changes a series; one that was dropped stays dropped.
    fileprivate func update(_ key: Key, _ change: (inout Series) -> Void) {
        state.withLock { state in
            guard let index = state.series.index(forKey: key) else { return }
            change(&state.series.values[index])
        }
    }

    private static func lines(_ key: Key, _ series: Series) -> [String] {
        func line(_ suffix: String, _ extra: String?, _ value: String) -> String {
            let labels = [key.labels, extra ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
            return "\(key.name)\(suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(value)"
        }
        switch series {
        case .counter(let value): return [line("", nil, String(value))]
        case .gauge(let value): return [line("", nil, String(value))]
        case .histogram(let counts, let sum):
            var total: UInt64 = 0
            var lines: [String] = []
            for (index, count) in counts.enumerated() {
                total += count
                let bound = index < bucketsSeconds.count ? String(bucketsSeconds[index]) : "+Inf"
                lines.append(line("_bucket", "le=\"\(bound)\"", String(total)))
            }
            return lines + [line("_sum", nil, String(sum)), line("_count", nil, String(total))]
        }
    }
}

/// One series, whatever its kind: the registry holds the value.
private final class Handler: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let registry: MetricsRegistry
    private let key: MetricsRegistry.Key
    private let initial: MetricsRegistry.Series

    init(registry: MetricsRegistry, label: String, dimensions: [(String, String)], initial: MetricsRegistry.Series) {
        self.registry = registry
        self.initial = initial
        let labels = dimensions.map { "\(Self.name($0.0))=\"\(Self.escaped($0.1))\"" }.sorted()
        key = .init(name: Self.name(label), labels: labels.joined(separator: ","))
        registry.register(key, initial: initial)
    }

    func increment(by amount: Int64) {
        update { if case .counter(let value) = $0 { $0 = .counter(value &+ amount) } }
    }

    func reset() { update { [initial] in $0 = initial } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { update { $0 = .gauge(value) } }
    func increment(by step: Double) { update { if case .gauge(let value) = $0 { $0 = .gauge(value + step) } } }
    func decrement(by step: Double) { increment(by: -step) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        update { series in
            guard case .histogram(var counts, let sum) = series else {
                series = .gauge(value)
                return
            }
            let bucket = MetricsRegistry.bucketsSeconds.firstIndex { value <= $0 } ?? counts.count - 1
            counts[bucket] += 1
            series = .histogram(counts: counts, sum: sum + value)
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    private func update(_ change: (inout MetricsRegistry.Series) -> Void) {
        registry.update(key, change)
    }

    private static func name(_ text: String) -> String {
        let safe = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == ":" ? $0 : "_" })
        return safe.first?.isNumber == false ? safe : "_\(safe)"
    }

    private static func escaped(_ text: String) -> String {
        // By code point: as a Character, a newline after a carriage return is no newline.
        text.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
