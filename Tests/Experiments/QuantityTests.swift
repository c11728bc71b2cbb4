import Experiments
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("5m", Duration.seconds(300)), ("90s", .seconds(90)), ("1m30s", .seconds(90)), ("500ms", .milliseconds(500)),
        ("1.5h", .seconds(5400)), ("0", .zero), ("0s", .zero), ("2h45m0.5s", .milliseconds(9_900_500)),
        ("1us", .microseconds(1)), ("1µs", .microseconds(1)), ("7ns", .nanoseconds(7)), (".5s", .milliseconds(500)),
        ("1.500000000000000000s", .milliseconds(1500)),
    ])
    func readsGoDurations(text: String, duration: Duration) throws {
        #expect(try GoDuration.parse(text) == duration)
    }

    @Test(arguments: ["", "5", "m", "5 m", "-5m", "+5m", "5x", "1.2.3s", ".s", "5m3", "٣s", "1e3s", "3000000h", "5mm"])
    func refusesWhatGoRefuses(text: String) {
        #expect(throws: QuantityError.self) { try GoDuration.parse(text) }
    }

    @Test func durationsSurviveARoundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let duration = Duration.nanoseconds(Int64.random(in: 0...(1 << 50), using: &generator))
            #expect(try GoDuration.parse(GoDuration.text(duration)) == duration)
        }
        #expect(GoDuration.text(.seconds(90)) == "1m30s")
        #expect(GoDuration.text(.zero) == "0s")
    }

    @Test(arguments: [("80", 8000, "80"), ("80.5", 8050, "80.5"), ("0.05", 5, "0.05"), ("100", 10_000, "100")])
    func readsPercentages(text: String, basisPoints: Int, shown: String) throws {
        let percentage = try Percentage.parse(text)
        #expect(percentage.basisPoints == basisPoints)
        #expect(percentage.description == shown)
    }

    @Test(arguments: ["", "-1", "100.01", "101", "80%", "eighty", "NaN", "33.333", "1e1", "99999999999999999999"])
    func refusesOtherPercentages(text: String) {
        #expect(throws: QuantityError.self) { try Percentage.parse(text) }
    }

    @Test(arguments: [
        ("100MB", MemorySize.bytes(100_000_000), "100 MB"), ("256MiB", .bytes(268_435_456), "256 MiB"),
        ("1GB", .bytes(1_000_000_000), "1 GB"), ("1.5gb", .bytes(1_500_000_000), "1500 MB"),
        ("64 kb", .bytes(64_000), "64 KB"), ("1k", .bytes(1000), "1 KB"), ("17", .bytes(17), "17 B"),
        ("17b", .bytes(17), "17 B"), ("2Ki", .bytes(2048), "2 KiB"), ("50%", .percent(50), "50 %"),
    ])
    func readsSizesAsMemStressDoes(text: String, size: MemorySize, shown: String) throws {
        #expect(try MemorySize.parse(text) == size)
        #expect(size.description == shown)
    }

    @Test(arguments: ["", "MB", "-1MB", "10XB", "101%", "1.5%", "100MBs", "9999999PB", "1 M i"])
    func refusesOtherSizes(text: String) {
        #expect(throws: QuantityError.self) { try MemorySize.parse(text) }
    }
}
