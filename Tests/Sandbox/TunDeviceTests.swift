import Glibc
import TestSupport
import Testing

@testable import Sandbox

@Suite(.enabled(if: TunDevice.obstacle() == nil, "this machine has no /dev/net/tun; see scenario-runner doctor"))
struct TunDeviceTests {
    /// A descriptor that is closed twice is, the second time, somebody else's: a thread beside, which opens and closes,
    /// would find one of its own closed already.
    @Test func aDeviceThatCannotBeHadClosesItsDescriptorOnce() async throws {
        async let taken = onThread {
            (0..<50_000).count(where: { _ in
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                sched_yield()
                return close(descriptor) != 0
            })
        }
        // The loopback device has this name, and none may take it.
        let had = try await onThread { (0..<5_000).count(where: { _ in (try? TunDevice(name: "lo")) != nil }) }
        #expect(had == 0)
        let takenAway = try await taken
        #expect(takenAway == 0)
    }
}
