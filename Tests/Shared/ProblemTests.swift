import Foundation
import HTTPTypes
import Shared
import Testing

struct ProblemTests {
    @Test func theDocumentHasTheStandardMembersAndTheOldOne() {
        let document = Problem(.conflict, "Only 2 are left.", members: ["available": .integer(2)])
            .document(instance: "/reserve")
        #expect(
            document
                == .object([
                    "type": .string("about:blank"), "title": .string("Conflict"), "status": .integer(409),
                    "detail": .string("Only 2 are left."), "error": .string("Only 2 are left."),
                    "instance": .string("/reserve"), "available": .integer(2),
                ]))
    }

    @Test func furtherMembersWin() {
        let document = Problem(.notFound, "x", members: ["status": .string("error")]).document(instance: "/")
        #expect(document["status"] == .string("error"))
    }

    @Test(arguments: [(-5, "1"), (0, "1"), (1, "1"), (60, "60")])
    func retryAfterIsAtLeastASecond(seconds: Int, header: String) {
        let problem = Problem.retryLater(.tooManyRequests, "Wait.", seconds: seconds, members: ["a": .null])
        #expect(problem.headers[.retryAfter] == header)
        #expect(problem.members["retry_after"] == .integer(Int64(max(1, seconds))))
        #expect(problem.members["a"] == .null)
    }

    @Test func jsonValuesRoundTripExactly() throws {
        let json =
            #"{"a":[1,-9223372036854775808,19.99,0.1,true,false,null,"\u0000é"],"b":{},"c":18446744073709551615}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
        #expect(
            value["a"]
                == .array([
                    .integer(1), .integer(.min), .decimal(Decimal(1999) / 100), .decimal(Decimal(1) / 10), .bool(true),
                    .bool(false), .null, .string("\0é"),
                ]))
        let again = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        #expect(again == value)
        #expect(value["c"] != nil && value["d"] == nil && value["a"]?["x"] == nil)
        #expect(String(decoding: try JSONEncoder().encode(value["c"]), as: UTF8.self) == "18446744073709551615")
    }
}
