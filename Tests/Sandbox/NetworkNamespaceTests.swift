import Testing

@testable import Sandbox

/// Runs ``NetworkInsideTests``, ``LossInsideTests`` and ``ImpairmentInsideTests`` where they can run. Needs namespaces:
/// as root, as an ordinary user, or both; the last one TUN devices too.
@Suite struct NetworkNamespaceTests {
    @Test(
        .enabled("needs root with CAP_SYS_ADMIN") { await Again.isAllowed(.root) },
        arguments: ["NetworkInsideTests", "LossInsideTests"])
    func asRoot(suite: String) async throws {
        try await passes(suite, .root)
    }

    @Test(
        .enabled("needs user namespaces for ordinary users") { await Again.isAllowed(.userNamespace) },
        arguments: ["NetworkInsideTests", "LossInsideTests"])
    func asAnOrdinaryUser(suite: String) async throws {
        try await passes(suite, .userNamespace)
    }

    @Test(
        .enabled("needs TUN devices, and root with CAP_SYS_ADMIN") {
            let isAllowed = await Again.isAllowed(.root)
            return isAllowed && TunDevice.obstacle() == nil
        })
    func impairmentAsRoot() async throws {
        try await passes("ImpairmentInsideTests", .root)
    }

    @Test(
        .enabled("needs TUN devices, and user namespaces for ordinary users") {
            let isAllowed = await Again.isAllowed(.userNamespace)
            return isAllowed && TunDevice.obstacle() == nil
        })
    func impairmentAsAnOrdinaryUser() async throws {
        try await passes("ImpairmentInsideTests", .userNamespace)
    }

    private func passes(_ suite: String, _ access: NamespaceAccess) async throws {
        let printed = try await Again.inside(access, suite: suite)
        // A filter that matches nothing passes too.
        #expect(printed.contains("Suite \(suite) passed"), "\(printed)")
    }
}
