import Foundation
import Sandbox
import ServiceLifecycle
import Shared

/// Waits until every replica is ready, writes down where the lab answers, and tells the person at the terminal.
struct Announcement: Service {
    let settings: LabSettings
    let world: LabWorld
    let client: HTTPClient
    /// A last line before it, where there is something to know.
    let warning: String?

    /// From the start of the processes to the first answer of all of them; a debug build on a loaded machine is slow.
    static let startTime = Duration.seconds(60)

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await waitUntilReady()
            try settings.folder.write(world.state)
            print(text)
            fflush(nil)
        }
        try await gracefulShutdown()
    }

    private func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + Self.startTime
        for replica in world.topology.replicas {
            while await !isReady(replica) {
                guard ContinuousClock.now < deadline else {
                    let log = settings.folder.logs.appendingPathComponent("\(replica.name).log").path
                    throw LabError("\(replica.name) was not ready within \(Self.startTime); see \(log)")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func isReady(_ replica: LabTopology.Replica) async -> Bool {
        let url = "http://\(replica.address):\(replica.port)/health/ready"
        let response = try? await client.execute(HTTPClientRequest(url: url, timeout: .seconds(2)))
        return response?.status == 200
    }

    private var text: String {
        let state = world.state
        let counts = world.topology.services.map { "\($0.replicas.count) \($0.tier)" }.joined(separator: ", ")
        let network = world.network == nil ? "plain processes on loopback, no network faults" : "a private network"
        let limits =
            !settings.limits
            ? "no limits"
            : "200m CPU and 128Mi memory each\(world.controlGroups == nil ? " (held by the lab itself)" : "")"
        let notice = warning.map { "\n\nWarning: \($0)" } ?? ""
        return """
            The lab is up: \(counts) replicas, \(network), \(limits).

              page           \(state.runnerURL)/
              payment        \(state.paymentURL)
              inventory      \(state.inventoryURL)
              notification   \(state.notificationURL)
              logs           \(settings.folder.logs.path)
              seed           \(settings.seed)\(notice)

            Ctrl-C ends it and leaves nothing behind.
            """
    }
}
