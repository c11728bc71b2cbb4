import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import Testing

@testable import ScenarioRunner

struct QueryReaderTests {
    private func reader(_ query: String) -> QueryReader {
        let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/x?\(query)")
        return QueryReader(Request(head: head, body: RequestBody(buffer: ByteBuffer())))
    }

    @Test func readsValuesAndDefaults() throws {
        var query = reader("a=on&b=2.5&c=7&d=x%20y")
        let isOn = query.requiredBool("a")
        let numbers = [query.number("b", in: 0...3, default: 1), query.number("absent", in: 0...3, default: 1)]
        let integers = [query.optionalInteger("c", in: 0...9), query.optionalInteger("absent", in: 0...9)]
        try query.finish()
        #expect(isOn && numbers == [2.5, 1] && integers == [7, nil])
        #expect(query.text("d", default: "") == "x y")
        #expect(query.text("absent", default: "z") == "z")
    }

    @Test(arguments: ["0", "100", "1e2", "99.999"])
    func numbersWithinTheRange(text: String) throws {
        var query = reader("p=\(text)")
        let number = query.number("p", in: 0...100, default: -1)
        #expect(number == Double(text))
        try query.finish()
    }

    @Test(arguments: ["nan", "NaN", "inf", "infinity", "-1", "100.0001", "", "0x10", "1p3", "١", "1,5", " 1", "1%"])
    func numbersOutsideTheRange(text: String) {
        var query = reader("p=\(text)")
        let number = query.number("p", in: 0...100, default: 5)
        #expect(number == 5)
        #expect(throws: Problem.invalid("p", "must be a number from 0 to 100")) { try query.finish() }
    }

    @Test func mistakesAreCollected() {
        var query = reader("n=10")
        _ = query.requiredBool("enabled")
        _ = query.optionalInteger("n", in: 0...9)
        query.reject("phase", "is unknown")
        let errors = [
            FieldError(field: "enabled", message: "is required"),
            FieldError(field: "n", message: "must be an integer from 0 to 9"),
            FieldError(field: "phase", message: "is unknown"),
        ]
        #expect(throws: Problem.invalid(errors)) { try query.finish() }
    }
}
