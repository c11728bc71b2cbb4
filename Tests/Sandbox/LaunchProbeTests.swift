import Testing

@testable import Sandbox

@Suite struct LaunchProbeTests {
    @Test func theProbeAgreesWithATrial() async {
        let allowed = await Again.access()
        switch await NamespaceProbe.examine() {
        case .available(let access): #expect(access == allowed)
        case .unavailable(let reason, let remedy):
            #expect(allowed == nil)
            #expect(!reason.isEmpty && !remedy.isEmpty)
        }
    }

    @Test(arguments: [
        (NamespaceProbe.Switches(unprivilegedUserNamespaces: "0"), "sysctl -w kernel.unprivileged_userns_clone=1"),
        (.init(unprivilegedUserNamespaces: "1", maxUserNamespaces: "0"), "sysctl -w user.max_user_namespaces"),
        (
            .init(appArmorRestriction: "1", maxUserNamespaces: "9"),
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        ),
        (.init(appArmorRestriction: "0", maxUserNamespaces: "9"), "run as root; in a container"),
    ])
    func theRemedyIsTheSwitchInTheWay(switches: NamespaceProbe.Switches, remedy: String) {
        #expect(NamespaceProbe.remedy(for: switches, isRoot: false).hasPrefix(remedy))
    }

    @Test func rootNeedsNoAdviceToBecomeRoot() {
        #expect(NamespaceProbe.remedy(for: .init(), isRoot: true).hasPrefix("in a container"))
    }
}
