import Foundation
import Load
import Testing

@Suite struct ArrivalScheduleTests {
    @Test(arguments: [(20.0, 60.0, 1200), (3, 1, 3), (2.5, 1, 3), (0.5, 1, 1), (1000, 0.5, 500)])
    func constantArrivalsAreEvenAndEndBeforeTheEnd(rate: Double, seconds: Double, total: Int) throws {
        let offsets = Array(try ArrivalSchedule(rate: rate, duration: .seconds(seconds)).offsets(seed: 1))
        #expect(offsets.count == total)
        for (index, offset) in offsets.enumerated() {
            #expect(abs(Double(offset) - Double(index) * 1e9 / rate) <= 0.5)
        }
    }

    /// Between two requests the area under the rate is 1, whatever the rate does: 0..100 in 10 s, 100 for 5 s, 20..0.
    @Test func rampsAndStepsKeepTheAreaBetweenRequests() throws {
        let segments = try ArrivalSchedule.Segment.parseList("0..100/10s,100/5s,20..0/10s")
        let offsets = Array(try ArrivalSchedule(segments).offsets(seed: 1)).map { Double($0) / 1e9 }
        #expect(offsets.count == 1100)
        func area(_ t: Double) -> Double {
            if t < 10 { return 5 * t * t }
            if t < 15 { return 500 + 100 * (t - 10) }
            return 1000 + 20 * (t - 15) - (t - 15) * (t - 15)
        }
        for (index, offset) in offsets.enumerated() { #expect(abs(area(offset) - Double(index)) < 1e-4) }
        #expect(offsets.count { $0 < 10 } == 500)
        #expect(zip(offsets, offsets.dropFirst()).allSatisfy(<))
    }

    /// Gaps are exponential: mean and standard deviation are 1 / rate, and their distribution is that of the model by
    /// Kolmogorov and Smirnov's test (1.63 / sqrt(n) is passed by 99 % of true ones; the seed is fixed).
    @Test func poissonGapsAreExponential() throws {
        let schedule = try ArrivalSchedule(rate: 500, duration: .seconds(60), arrivals: .poisson)
        let offsets = Array(schedule.offsets(seed: 3)).map { Double($0) / 1e9 }
        #expect(abs(Double(offsets.count) - 30_000) < 3 * 30_000.0.squareRoot())
        #expect(offsets == Array(schedule.offsets(seed: 3)).map { Double($0) / 1e9 })
        #expect(offsets != Array(schedule.offsets(seed: 4)).map { Double($0) / 1e9 })
        let gaps = zip(offsets.dropFirst(), offsets).map { $0 - $1 }.sorted()
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        #expect(abs(mean * 500 - 1) < 0.02)
        let distance = gaps.enumerated().map { index, gap in
            abs((Double(index) + 0.5) / Double(gaps.count) - (1 - exp(-gap * 500)))
        }.max()
        #expect(try #require(distance) < 1.63 / Double(gaps.count).squareRoot())
    }

    @Test func poissonFollowsARamp() throws {
        let segment = ArrivalSchedule.Segment(from: 0, to: 1000, duration: .seconds(20))
        let offsets = Array(try ArrivalSchedule([segment], arrivals: .poisson).offsets(seed: 9))
        // A quarter of the area lies in the first half.
        let early = offsets.count { $0 < 10_000_000_000 }
        #expect(abs(Double(early) - 2500) < 200 && abs(Double(offsets.count) - 10_000) < 400)
    }

    @Test(arguments: [(0.0, 1.0), (-1, 1), (.nan, 1), (.infinity, 1), (1_000_000, 1), (1, 0), (1, -1), (1, 100_000)])
    func refusesNumbersOutOfRange(rate: Double, seconds: Double) {
        #expect(throws: LoadPlanError.self) { try ArrivalSchedule(rate: rate, duration: .seconds(seconds)) }
    }

    @Test(arguments: [
        "", "100", "100/", "/30s", "a/30s", "1..2..3/1s", "0/10s", "nan/1s", "-1/1s", "1/1s,,2/1s", "0x10/1s",
    ])
    func refusesWhatIsNoRamp(text: String) {
        #expect(throws: LoadPlanError.self) { try ArrivalSchedule(ArrivalSchedule.Segment.parseList(text)) }
    }
}
