import Foundation
import HTTPTypes
import Shared
import Synchronization

/// The API server's time, learnt from its answers: leases are compared by runners on different machines, and the clock
/// of a virtual machine that has slept may be hours behind.
final class ServerClock: Sendable {
    private let aheadMs = Mutex<Int64>(0)
    /// An answer tells whole seconds and has been on its way.
    private static let resolutionMs: Int64 = 2000

    var now: UnixTime { UnixTime(milliseconds: UnixTime.now.milliseconds + aheadMs.withLock { $0 }) }

    /// How far it is before this machine's; negative when it is behind.
    var ahead: Duration { .milliseconds(aheadMs.withLock { $0 }) }

    /// - Parameter headers: of an answer that has come at `received`.
    func learn(_ headers: HTTPFields, at received: UnixTime = .now) {
        guard let time = headers[.date].flatMap(Self.parse) else { return }
        let difference = time.milliseconds - received.milliseconds
        aheadMs.withLock { $0 = abs(difference) < Self.resolutionMs ? 0 : difference }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The one form of RFC 9110 that servers still send: `Wed, 25 Nov 2026 18:59:52 GMT`.
    static func parse(_ text: String) -> UnixTime? {
        let parts = text.split(whereSeparator: { " :,".contains($0) })
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(where: { $0 == parts[2] }),
            let day = Int(parts[1]), let year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]),
            let second = Int(parts[6]), let zone = TimeZone(secondsFromGMT: 0)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let components = DateComponents(
            year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
        return calendar.date(from: components).map {
            UnixTime(milliseconds: Int64($0.timeIntervalSince1970 * 1000))
        }
    }
}
