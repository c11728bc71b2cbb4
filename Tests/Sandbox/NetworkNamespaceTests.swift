import Testing

@testable import Sandbox

/// Runs ``NetworkInsideTests``, ``LossInsideTests`` and ``ImpairmentInsideTests`` where they can run. Needs namespaces:
/// as root, as an ordinary user, or both; the last one TUN devices too.
@Suite struct NetworkNamespaceTests {
    @Test(
        .enabled("needs root with CAP_SYS_ADMIN") { await Again.isAllowed(.root) },
        arguments: ["NetworkInsideTests", "LossInsideTests", "ImpairmentInsideTests"])
    func asRoot(suite: String) async throws {
        try await passes(suite, .root)
    }

    @Test(
        .enabled("needs user namespaces for ordinary users") { await Again.isAllowed(.userNamespace) },
        arguments: ["NetworkInsideTests", "LossInsideTests", "ImpairmentInsideTests"])
    func asAnOrdinaryUser(suite: String) async throws {
        try await passes(suite, .userNamespace)
    }

    private func passes(_ suite: String, _ access: NamespaceAccess) async throws {
        if suite == "ImpairmentInsideTests", let obstacle = TunDevice.obstacle() {
            return Issue.record("skipped: \(obstacle.reason)", severity: .warning)
        }
        let printed = try await Again.inside(access, suite: suite)
        // A filter that matches nothing passes too.
        #expect(printed.contains("Suite \(suite) passed"), "\(printed)")
    }
}
