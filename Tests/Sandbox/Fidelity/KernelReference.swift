import Foundation

@testable import Sandbox

/// The same things done by the kernel alone, by rules and queues that are written here by hand.
///
/// The lab's faults act between payment-0 and inventory-0, these between payment-1 and inventory-1, at the same time and
/// on the same router.
enum KernelReference {
    static let source = "10.77.1.2"
    static let target = "10.77.2.2"
    static let device = "v-inventory-1"

    /// Drops a share of what payment-1 sends to inventory-1, while `body` runs.
    static func dropping(_ percent: Int, _ body: () async throws -> Void) async throws {
        let rules = """
            table ip reference {
              chain drops {
                type filter hook forward priority 0; policy accept;
                ip saddr \(source) ip daddr \(target) numgen random mod 100 < \(percent) drop
              }
            }

            """
        try await CommandLineTool.run("nft", ["-f", "-"], input: rules)
        do {
            try await body()
        } catch {
            try await CommandLineTool.run("nft", ["delete", "table", "ip", "reference"])
            throw error
        }
        try await CommandLineTool.run("nft", ["delete", "table", "ip", "reference"])
    }

    /// Sends what inventory-1 gets through a queue of the kernel's, while `body` runs.
    static func queueing<Value>(_ queue: [String], _ body: () async throws -> Value) async throws -> Value {
        try await CommandLineTool.run("tc", ["qdisc", "add", "dev", device, "root"] + queue)
        let value: Value
        do {
            value = try await body()
        } catch {
            try await CommandLineTool.run("tc", ["qdisc", "del", "dev", device, "root"])
            throw error
        }
        try await CommandLineTool.run("tc", ["qdisc", "del", "dev", device, "root"])
        return value
    }

    /// Whether this kernel has netem.
    static func hasNetem() async -> Bool {
        (try? await queueing(["netem", "delay", "1ms"]) {}) != nil
    }
}
