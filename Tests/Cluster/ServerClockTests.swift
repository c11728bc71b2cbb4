import Experiments
import HTTPTypes
import Shared
import Testing

@testable import Cluster

@Suite struct ServerClockTests {
    private let noon = UnixTime(milliseconds: 1_767_268_800_000)

    @Test func theServersTimeIsLearntFromItsAnswers() {
        let clock = ServerClock()
        #expect(ServerClock.parse("Thu, 01 Jan 2026 12:00:00 GMT") == noon)
        #expect(ServerClock.parse("Thursday, 01-Jan-26 12:00:00 GMT") == nil)
        #expect(ServerClock.parse("soon") == nil)
        clock.learn([.date: "Thu, 01 Jan 2026 12:00:00 GMT"], at: noon.advanced(bySeconds: 3600))
        #expect(clock.ahead == .seconds(-3600))
        #expect(abs(clock.now.seconds - UnixTime.now.seconds + 3600) < 60)
        // Whole seconds and the way say nothing.
        clock.learn([.date: "Thu, 01 Jan 2026 12:00:00 GMT"], at: noon.advanced(bySeconds: 1))
        #expect(clock.ahead == .zero)
        clock.learn([:], at: noon)
        #expect(clock.ahead == .zero)
    }

    @Test func clocksThatAreFarApartAreAFinding() {
        func finding(_ seconds: Int) -> String {
            let found = ClusterDoctor.serverFinding("v1", at: "https://x", ahead: .seconds(seconds))
            return "\(found.status) \(found.detail)"
        }
        #expect(finding(5) == "ok v1 at https://x")
        #expect(finding(-3600) == "degraded v1 at https://x; its clock is 3600 s behind this machine's")
        #expect(finding(90).hasSuffix("90 s ahead of this machine's"))
    }
}
