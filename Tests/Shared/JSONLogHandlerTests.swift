import Foundation
import Logging
import Shared
import TestSupport
import Testing

struct JSONLogHandlerTests {
    private let log = LogLines()

    @Test func oneObjectALine() throws {
        let logger = makeLogger()
        logger.info("first \"quoted\"\nsecond\r\n\u{2028}\0 é 💶 \\")
        logger.error("another", metadata: ["path": "/a\nb"])
        #expect(log.lines.count == 2)
        for line in log.lines {
            #expect(line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            #expect(line.last == UInt8(ascii: "\n"))
            #expect(String(validating: line, as: UTF8.self) != nil)
        }
        let first = try value(0)
        #expect(first["message"] == .string("first \"quoted\"\nsecond\r\n\u{2028}\0 é 💶 \\"))
        #expect(first["level"] == .string("info") && first["service"] == .string("payment-service"))
        #expect(try value(1)["path"] == .string("/a\nb"))
        let timestamp = try #require(first["timestamp"]?.text)
        #expect(timestamp.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(timestamp)")
    }

    @Test func numbersStayNumbers() throws {
        makeLogger().info(
            "x",
            metadata: [
                "int": .stringConvertible(402), "int64": .stringConvertible(Int64.min),
                "small": .stringConvertible(UInt8(7)), "large": .stringConvertible(UInt64.max),
                "tenth": .stringConvertible(0.1), "three": .stringConvertible(3.0), "tiny": .stringConvertible(1e-9),
                "huge": .stringConvertible(1e300), "nan": .stringConvertible(Double.nan),
                "infinite": .stringConvertible(-Double.infinity), "flag": .stringConvertible(true),
                "text": .stringConvertible("1"), "nested": ["list": ["a", .stringConvertible(2)]],
            ])
        let line = try value(0)
        #expect(line["int"] == .integer(402))
        #expect(line["int64"] == .integer(.min))
        #expect(line["small"] == .integer(7))
        #expect(line["large"] == .string("18446744073709551615"))
        #expect(line["three"] == .integer(3))
        #expect(line["huge"] == .string("1e+300"))
        #expect(line["nan"] == .string("nan"))
        #expect(line["infinite"] == .string("-inf"))
        #expect(line["flag"] == .bool(true))
        #expect(line["text"] == .string("1"))
        #expect(line["nested"] == .object(["list": .array([.string("a"), .integer(2)])]))
        let text = String(decoding: try #require(log.lines.first), as: UTF8.self)
        #expect(text.contains("\"tenth\":0.1,") && text.contains("\"tiny\":0.000000001"), "\(text)")
    }

    @Test func theTraceOfTheRequestStandsInTheLine() throws {
        let trace = TraceContext()
        TraceContext.$current.withValue(trace) { makeLogger().info("inside") }
        makeLogger().info("outside")
        #expect(try value(0)["trace_id"] == .string(trace.traceID))
        #expect(try value(1)["trace_id"] == nil)
    }

    @Test func theCallsMetadataWinsButNotOverTheLinesOwnMembers() throws {
        var logger = makeLogger()
        logger[metadataKey: "kept"] = "logger"
        logger[metadataKey: "replaced"] = "logger"
        logger.info("real", metadata: ["replaced": "call", "message": "fake", "level": "fake", "service": "fake"])
        let line = try value(0)
        #expect(line["kept"] == .string("logger") && line["replaced"] == .string("call"))
        #expect(line["message"] == .string("real") && line["level"] == .string("info"))
        #expect(line["service"] == .string("payment-service"))
    }

    @Test func theLevelIsKept() {
        let logger = makeLogger(level: .warning)
        logger.info("no")
        logger.warning("yes")
        #expect(log.lines.count == 1)
    }

    private func makeLogger(level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { _ in
            JSONLogHandler(service: "payment-service", level: level, write: { log.append($0) })
        }
    }

    private func value(_ index: Int) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: log.lines[index])
    }
}
