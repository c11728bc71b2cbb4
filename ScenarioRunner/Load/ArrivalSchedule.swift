import Experiments
import Foundation

/// When the users of an open load come, whatever becomes of those before them: as with users who do not know of each
/// other. (A closed model waits for answers, so it sends least exactly when the system is worst.)
///
/// ```
///   rate         ______          segments: 0..500/10s, 500/30s
///              /                 constant: request k is due when the area under the line is k
///   __________/                  poisson:  when it is the sum of k + 1 exponential draws of mean 1
/// ```
public struct ArrivalSchedule: Sendable, Equatable {
    public enum Arrivals: String, Sendable, Equatable, Codable, CaseIterable {
        /// Evenly spaced.
        case constant
        /// Independent of each other, as calls to an exchange (A. K. Erlang, 1909): bursts and gaps at the same rate.
        case poisson
    }

    /// A time in which the rate is constant or changes evenly.
    public struct Segment: Sendable, Equatable {
        /// Requests a second at its start and at its end.
        public let from: Double
        public let to: Double
        public let duration: Duration

        public init(from: Double, to: Double, duration: Duration) {
            self.from = from
            self.to = to
            self.duration = duration
        }

        /// Requests that are due in it, as a real number.
        var area: Double { (from + to) / 2 * duration.inSeconds }

        /// Seconds after its start at which the area is `area`.
        func time(at area: Double) -> Double {
            let slope = (to - from) / duration.inSeconds
            // The root of from * t + slope / 2 * t^2 = area in the form that does not subtract like numbers.
            let root = max(0, from * from + 2 * slope * area).squareRoot()
            return from + root > 0 ? 2 * area / (from + root) : 0
        }
    }

    public static let rates = 0.1...100_000.0
    public static let longest = Duration.seconds(24 * 3600)
    static let maxSegments = 100

    public let segments: [Segment]
    public let arrivals: Arrivals

    /// - Throws: ``LoadPlanError`` when a number is out of its range.
    public init(_ segments: [Segment], arrivals: Arrivals = .constant) throws(LoadPlanError) {
        guard (1...Self.maxSegments).contains(segments.count) else {
            throw LoadPlanError("a load has from 1 to \(Self.maxSegments) parts")
        }
        for segment in segments {
            guard segment.duration > .zero, segment.duration <= Self.longest else {
                throw LoadPlanError("the load must last more than 0 s and at most 24 h")
            }
            let rates = [segment.from, segment.to]
            guard rates.allSatisfy({ $0 == 0 || Self.rates.contains($0) }), rates != [0, 0] else {
                throw LoadPlanError("the rate must be from 0.1 to 100000 requests a second")
            }
        }
        guard segments.reduce(Duration.zero, { $0 + $1.duration }) <= Self.longest else {
            throw LoadPlanError("the load must last more than 0 s and at most 24 h")
        }
        self.segments = segments
        self.arrivals = arrivals
    }

    /// One rate from the start to the end.
    public init(rate: Double, duration: Duration, arrivals: Arrivals = .constant) throws(LoadPlanError) {
        guard Self.rates.contains(rate) else {
            throw LoadPlanError("the rate must be from 0.1 to 100000 requests a second")
        }
        try self.init([Segment(from: rate, to: rate, duration: duration)], arrivals: arrivals)
    }

    public var duration: Duration { segments.reduce(.zero) { $0 + $1.duration } }

    /// How many requests are due in all, but for the chance in Poisson arrivals.
    public var expectedRequests: Double { segments.reduce(0) { $0 + $1.area } }

    /// When each request is due, in nanoseconds after the start, rising, all before the end; the same for one seed.
    public func offsets(seed: UInt64) -> Offsets { Offsets(self, seed: seed) }

    public struct Offsets: Sequence, IteratorProtocol {
        private let segments: [Segment]
        private let arrivals: Arrivals
        private var generator: SeededGenerator
        private var index = 0
        private var startOfSegment = 0.0
        private var areaBefore = 0.0
        /// The area at which the next request is due.
        private var area: Double

        init(_ schedule: ArrivalSchedule, seed: UInt64) {
            segments = schedule.segments
            arrivals = schedule.arrivals
            generator = SeededGenerator(seed: seed, purpose: "arrivals")
            area = 0
            if arrivals == .poisson { area = Self.exponential(&generator) }
        }

        public mutating func next() -> UInt64? {
            while index < segments.count {
                let segment = segments[index]
                if area - areaBefore < segment.area {
                    let seconds = startOfSegment + segment.time(at: area - areaBefore)
                    area += arrivals == .constant ? 1 : Self.exponential(&generator)
                    return UInt64((seconds * 1e9).rounded())
                }
                areaBefore += segment.area
                startOfSegment += segment.duration.inSeconds
                index += 1
            }
            return nil
        }

        /// By inversion; the draw is from (0, 1], so that its logarithm is finite.
        private static func exponential(_ generator: inout SeededGenerator) -> Double {
            -log(Double(generator.next() >> 11 + 1) * 0x1p-53)
        }
    }
}

extension ArrivalSchedule.Segment {
    /// `500/30s`, or `100..500/1m` for a rate that changes evenly, with commas between.
    ///
    /// - Throws: ``LoadPlanError`` that names the first part that is none.
    public static func parseList(_ text: String) throws(LoadPlanError) -> [Self] {
        var segments: [Self] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", maxSplits: 1)
            let rates =
                (halves.first ?? "").firstRange(of: "..").map { range in
                    [part[..<range.lowerBound], halves[0][range.upperBound...]]
                } ?? [halves.first ?? ""]
            let numbers = rates.compactMap(rate)
            guard halves.count == 2, numbers.count == rates.count,
                let duration = try? GoDuration.parse(String(halves[1]))
            else { throw LoadPlanError("'\(part)' is not like 500/30s or 100..500/1m") }
            segments.append(Self(from: numbers[0], to: numbers[numbers.count - 1], duration: duration))
        }
        return segments
    }

    /// `Double` also reads `nan`, `inf` and hexadecimal, which nobody means here.
    private static func rate(_ text: Substring) -> Double? {
        text.utf8.allSatisfy { "0123456789.".utf8.contains($0) } ? Double(text) : nil
    }
}
