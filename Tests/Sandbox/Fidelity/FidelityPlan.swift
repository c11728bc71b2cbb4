import Foundation

@testable import Sandbox

/// How much is measured: the short form, or the long one where the environment says `FIDELITY=long`.
struct FidelityPlan: Sendable {
    /// In percent.
    var losses = [80]
    /// Connections of each kind, in each round.
    var connections = 150
    var rounds = 1
    /// Losses in percent, and their correlations.
    var correlated = [(loss: 80, correlation: 50)]
    var correlatedPackets = 3000
    var delayedPackets = 300
    var transferBytes = 100_000
    /// `scenario-runner path-worker`; `FIDELITY_EXECUTABLES` is the folder of another than the test's own.
    let worker: [String]

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let own = URL(filePath: NamespaceLauncher.ownExecutable).deletingLastPathComponent().path
        worker = [(environment["FIDELITY_EXECUTABLES"] ?? own) + "/scenario-runner", "path-worker"]
        guard environment["FIDELITY"] == "long" else { return }
        losses = [20, 50, 80, 95]
        (connections, rounds) = (800, 2)
        correlated = [(80, 50), (95, 75), (50, 30), (80, 60), (20, 25)]
        (correlatedPackets, delayedPackets, transferBytes) = (20_000, 2000, 500_000)
    }
}
