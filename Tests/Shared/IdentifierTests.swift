import Foundation
import Shared
import TestSupport
import Testing

struct IdentifierTests {
    @Test func hasThePrefixAndTheLayoutOfAULID() throws {
        let id = Identifier.make(prefix: "PAY")
        #expect(id.wholeMatch(of: /PAY-[0-9A-HJKMNP-TV-Z]{26}/) != nil, "\(id)")
    }

    @Test func timeStandsInTheFirstTenCharacters() {
        var generator = SeededGenerator(seed: 1)
        // The example of the ULID specification.
        let id = Identifier.make(prefix: "RES", milliseconds: 1_469_918_176_385, using: &generator)
        #expect(id.hasPrefix("RES-01ARYZ6S41"))
        let last = Identifier.make(prefix: "RES", milliseconds: 281_474_976_710_655, using: &generator)
        #expect(last.hasPrefix("RES-7ZZZZZZZZZ"))
    }

    @Test func sortsByTime() {
        var generator = SeededGenerator(seed: 2)
        var millisecond: Int64 = 1_700_000_000_000
        let ids = (0..<1000).map { _ in
            millisecond += Int64.random(in: 1...1_000_000, using: &generator)
            return Identifier.make(prefix: "NOT", milliseconds: millisecond, using: &generator)
        }
        #expect(ids == ids.sorted())
    }

    @Test func aHundredThousandAreAllDifferent() {
        var ids = Set<String>()
        for _ in 0..<100_000 { ids.insert(Identifier.make(prefix: "PAY")) }
        #expect(ids.count == 100_000)
    }

    @Test func everyRandomCharacterIsUsed() {
        var generator = SeededGenerator(seed: 3)
        let ids = (0..<500).map { _ in Identifier.make(prefix: "PAY", milliseconds: 0, using: &generator) }
        for position in 14..<30 {
            let used = Set(ids.map { Array($0)[position] })
            #expect(used.count == 32, "position \(position)")
        }
    }
}

struct UnixTimeTests {
    @Test func millisecondsSurviveJSON() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<5000 {
            let time = UnixTime(milliseconds: Int64.random(in: 0...4_102_444_800_000, using: &generator))
            let decoded = try JSONDecoder().decode([UnixTime].self, from: JSONEncoder().encode([time]))
            #expect(decoded == [time])
        }
    }

    @Test(arguments: ["1e300", "-1e300", "1e20", "\"now\"", "null"])
    func isNoTime(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(UnixTime.self, from: Data(json.utf8)) }
    }

    @Test func advances() {
        let time = UnixTime(milliseconds: 1500)
        #expect(time.advanced(bySeconds: 2).milliseconds == 3500)
        #expect(time.seconds == 1.5)
        #expect(time < time.advanced(bySeconds: 1))
    }

    @Test func durationsConvert() {
        #expect(Duration.milliseconds(1234).nanoseconds == 1_234_000_000)
        #expect(Duration.nanoseconds(1_234_567).milliseconds == 1.234)
        #expect(Duration.milliseconds(-1500).seconds == -1.5)
    }
}
