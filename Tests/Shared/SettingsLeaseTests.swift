import Testing

@testable import Shared

@Suite("The lease on settings")
struct SettingsLeaseTests {
    private func settings(_ version: Int, lease: Int = 15, decline: Double = 20) -> ServiceSettings {
        var modes = FailureModes()
        (modes.cardDeclineEnabled, modes.cardDeclineProbability) = (true, decline)
        return ServiceSettings(version: version, leaseS: lease, seed: 3, failureModes: modes)
    }

    @Test("has everything off until something is received")
    func empty() {
        let lease = SettingsLease()
        #expect(lease.effective(at: .now) == .off)
    }

    @Test("puts settings in force at once, and off when the lease is over")
    func over() {
        var lease = SettingsLease()
        let start = ContinuousClock.now
        let isNew = lease.received(settings(4), at: start)
        #expect(isNew)
        #expect(lease.effective(at: start) == settings(4))
        #expect(lease.effective(at: start + .milliseconds(14_999)) == settings(4))
        #expect(lease.effective(at: start + .seconds(15)) == .off)
    }

    @Test("is extended by every answer, also by one that brings nothing new")
    func extended() {
        var lease = SettingsLease()
        let start = ContinuousClock.now
        _ = lease.received(settings(4), at: start)
        let isNew = lease.received(settings(4), at: start + .seconds(10))
        #expect(!isNew)
        #expect(lease.effective(at: start + .seconds(24)) == settings(4))
        // After the lease was over, the same settings are news.
        let isNewAgain = lease.received(settings(4), at: start + .seconds(30))
        #expect(isNewAgain)
    }

    @Test("follows a runner that was restarted and counts from the start")
    func lowerVersion() {
        var lease = SettingsLease()
        _ = lease.received(settings(9), at: .now)
        let isNew = lease.received(settings(1, decline: 50), at: .now)
        #expect(isNew)
        #expect(lease.effective(at: .now).version == 1)
    }

    @Test("believes no lease beyond its bounds", arguments: [(Int.min, 1), (0, 1), (3, 3), (Int.max, 3600)])
    func bounds(lease given: Int, seconds: Int) {
        var lease = SettingsLease()
        let start = ContinuousClock.now
        _ = lease.received(settings(1, lease: given), at: start)
        #expect(lease.effective(at: start + .seconds(seconds) - .milliseconds(1)) != .off)
        #expect(lease.effective(at: start + .seconds(seconds)) == .off)
    }
}
