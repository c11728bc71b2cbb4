#if Postgres
import Foundation
import TestSupport
import Testing

@testable import Shared

/// How many durable inserts a second each database takes from 64 clients: `make bench-stores` prints it.
@Suite(
    "Stores: durable inserts", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["STORE_BENCH_SECONDS"] != nil, "make bench-stores measures"))
struct StoreBenchTests {
    private static let clients = 64

    @Test func inserts() async throws {
        let text = ProcessInfo.processInfo.environment["STORE_BENCH_SECONDS"] ?? ""
        let seconds = try #require(Int(text), "STORE_BENCH_SECONDS is a number of seconds")
        var rates: [Double] = []
        for kind in DatabaseKind.allCases {
            let count = try await withStore(kind) { try await Self.insert(into: $0, for: .seconds(seconds)) }
            rates.append(Double(count) / Double(seconds))
            Self.say("\(kind): \(Int(rates.last ?? 0)) durable inserts/s, \(Self.clients) clients")
        }
        Self.say(String(format: "sqlite / postgres: %.2f", rates[0] / rates[1]))
    }

    private static func insert(into store: any Shared.Database, for time: Duration) async throws -> Int {
        let end = ContinuousClock.now + time
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<clients {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        try await store.insertItem("\(client)/\(count)")
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
    }

    private static func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
}
#endif
