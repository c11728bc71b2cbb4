import Metrics
import Shared
import Testing

struct MetricsRegistryTests {
    private let registry = MetricsRegistry()

    @Test func aCounterIsOneSeriesByNameAndLabels() {
        for _ in 0..<3 { counter("http.requests", ["b": "2", "a": "1"]).increment() }
        counter("http.requests", ["a": "other"]).increment(by: 5)
        #expect(
            lines(of: "http_requests") == [
                "# TYPE http_requests counter", #"http_requests{a="1",b="2"} 3"#, #"http_requests{a="other"} 5"#,
            ])
    }

    @Test func aSeriesIsThereBeforeItsFirstEvent() {
        _ = counter("payments_total", [:])
        #expect(lines(of: "payments_total") == ["# TYPE payments_total counter", "payments_total 0"])
    }

    @Test func gaugesGoUpAndDown() {
        let meter = Meter(label: "in_flight", dimensions: [], factory: registry)
        meter.set(2)
        meter.increment(by: 3)
        meter.decrement(by: 1)
        #expect(lines(of: "in_flight") == ["# TYPE in_flight gauge", "in_flight 4.0"])
    }

    @Test func histogramsAreCumulative() throws {
        let timer = Timer(label: "took_seconds", dimensions: [("route", "/x")], factory: registry)
        // On a bound, between bounds, and beyond the last one.
        for nanoseconds: Int64 in [1_000_000, 1_000_001, 40_000_000, 10_000_000_000, 31_000_000_000] {
            timer.recordNanoseconds(nanoseconds)
        }
        let buckets = lines(of: "took_seconds").filter { $0.contains("_bucket") }
        let counts = try buckets.map { try #require($0.split(separator: " ").last.flatMap { Int($0) }) }
        #expect(counts == [1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 5])
        #expect(buckets.first == #"took_seconds_bucket{route="/x",le="0.001"} 1"#)
        #expect(buckets.last == #"took_seconds_bucket{route="/x",le="+Inf"} 5"#)
        #expect(lines(of: "took_seconds").contains(#"took_seconds_count{route="/x"} 5"#))
        let sum = try #require(lines(of: "took_seconds").first { $0.contains("_sum") }?.split(separator: " ").last)
        #expect(abs(try #require(Double(sum)) - 41.042000001) < 1e-9)
    }

    @Test func labelValuesAreEscaped() {
        counter("odd", ["v": "a\"b\\c\nd\r\ne"]).increment()
        #expect(lines(of: "odd") == ["# TYPE odd counter", "odd{v=\"a\\\"b\\\\c\\nd\r\\ne\"} 1"])
    }

    @Test func namesAreMadeValid() {
        counter("9 lives-é.total", ["1st label": "x"]).increment()
        #expect(registry.render().contains("# TYPE _9_lives___total counter\n_9_lives___total{_1st_label=\"x\"} 1\n"))
    }

    @Test func theTypeStandsOnceBeforeItsFamily() {
        for route in ["/a", "/b", "/c"] {
            counter("requests_total", ["route": route]).increment()
            Timer(label: "requests_seconds", dimensions: [("route", route)], factory: registry).recordNanoseconds(1)
        }
        let text = registry.render()
        #expect(text.split(separator: "\n").filter { $0 == "# TYPE requests_total counter" }.count == 1)
        #expect(text.split(separator: "\n").filter { $0 == "# TYPE requests_seconds histogram" }.count == 1)
        #expect(text.hasSuffix("\n"))
    }

    @Test func seriesAreLimitedAndWhatIsDroppedIsCounted() {
        counter("kept", [:]).increment()
        for number in 1..<MetricsRegistry.maxSeries { counter("many", ["id": "\(number)"]).increment() }
        for number in 0..<10 { counter("late", ["id": "\(number)"]).increment(by: 3) }
        counter("kept", [:]).increment()
        #expect(lines(of: "kept") == ["# TYPE kept counter", "kept 2"])
        #expect(lines(of: "late").isEmpty)
        #expect(lines(of: "metrics_series_dropped_total").last == "metrics_series_dropped_total 10")
    }

    @Test func manyTasksLoseNoCount() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { counter("shared_total", [:]).increment() } }
            }
        }
        #expect(lines(of: "shared_total").last == "shared_total 8000")
    }

    private func counter(_ label: String, _ labels: [String: String]) -> Counter {
        Counter(label: label, dimensions: labels.map { ($0.key, $0.value) }, factory: registry)
    }

    private func lines(of name: String) -> [String] {
        registry.render().split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix(name) || $0.hasPrefix("# TYPE \(name) ") }
    }
}
