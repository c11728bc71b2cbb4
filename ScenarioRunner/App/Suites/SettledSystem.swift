import Foundation
import HTTPTypes
import Shared

/// Waits until the system is well, three looks in a row; what a look sees is ``SystemLook``'s business.
struct SettledSystem: Sendable {
    let connection: RunnerConnection

    private static let pause = Duration.milliseconds(500)
    private static let looksInARow = 3
    /// From the end of the rest: longer than the longest that a service takes to give up and to settle what it owes.
    static let longest = Duration.seconds(60)

    /// - Parameters:
    ///   - rest: is waited for in any case.
    ///   - stop: ends the wait.
    /// - Returns: what was still wrong after ``longest``; nil when the system is well.
    func wait(rest: Duration, stop: Latch) async -> String? {
        if await stop.wait(until: .now + rest) { return nil }
        let deadline = ContinuousClock.now + Self.longest
        var wellInARow = 0
        var complaint: String?
        while ContinuousClock.now < deadline {
            complaint = await look()
            wellInARow = complaint == nil ? wellInARow + 1 : 0
            if wellInARow == Self.looksInARow { return nil }
            if await stop.wait(until: .now + Self.pause) { return nil }
        }
        return complaint ?? "it was not well for \(Self.looksInARow) looks in a row"
    }

    /// What is wrong now; nil when nothing is.
    private func look() async -> String? {
        do {
            let answer = try await connection.call(.post, "/api/settled")
            return try JSONDecoder().decode(Settled.self, from: answer).complaint
        } catch is SilentRunner {
            return "\(connection.address.silence)"
        } catch {
            return "\(error)"
        }
    }

    private struct Settled: Decodable {
        let complaint: String?
    }
}
