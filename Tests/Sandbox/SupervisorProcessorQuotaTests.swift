import Testing

@testable import Sandbox

@Suite struct ProcessorQuotaTests {
    /// A process that is always hungry, looked at every 5 ms: it gets its share and no more.
    @Test func aBusyProcessGetsItsLimitInTheLongRun() {
        let start = ContinuousClock.now
        var used = Duration.zero
        var quota = ProcessorQuota(cores: 0.2, now: start, used: used)
        for step in 1...2000 {
            if quota.mayRun { used += .milliseconds(5) }
            quota.observe(now: start + .milliseconds(5 * step), used: used)
        }
        let cores = used / .seconds(10)
        #expect(cores > 0.195 && cores < 0.205)
    }

    @Test func aProcessBelowItsLimitIsNeverStopped() {
        let start = ContinuousClock.now
        var quota = ProcessorQuota(cores: 0.2, now: start, used: .zero)
        for step in 1...1000 {
            quota.observe(now: start + .milliseconds(100 * step), used: .milliseconds(15 * step))
            #expect(quota.mayRun)
        }
    }

    @Test func idleTimeIsNotSavedUpForever() {
        let start = ContinuousClock.now
        var quota = ProcessorQuota(cores: 0.2, now: start, used: .zero)
        quota.observe(now: start + .seconds(60), used: .zero)
        quota.observe(now: start + .seconds(60), used: .milliseconds(21))
        #expect(!quota.mayRun)
    }

    @Test func whatWasTakenTooMuchIsPaidBack() {
        let start = ContinuousClock.now
        var quota = ProcessorQuota(cores: 0.2, now: start, used: .zero)
        quota.observe(now: start, used: .milliseconds(120))
        quota.observe(now: start + .milliseconds(500), used: .milliseconds(120))
        #expect(!quota.mayRun, "100 ms of debt take 500 ms")
        quota.observe(now: start + .milliseconds(550), used: .milliseconds(120))
        #expect(quota.mayRun)
    }
}
