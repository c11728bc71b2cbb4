import Glibc
import TestSupport
import Testing

@testable import Sandbox

/// The network of the whole program, built by the first test that asks.
enum InsideLab {
    static let network = LabNetwork(topology: LabTopology(payment: 2, inventory: 2, notification: 1))
    private static let started = Task { try await network.start() }

    static func start() async throws { try await started.value }
}

/// The real network, from inside; started by ``NetworkNamespaceTests``.
@Suite(
    .enabled(if: Again.role == "NetworkInsideTests", "runs inside namespaces, by NetworkNamespaceTests"), .serialized)
struct NetworkInsideTests {
    init() async throws { try await InsideLab.start() }

    @Test func aVirtualAddressIsSpreadEvenlyOverTheReplicas() async throws {
        let servers = try await [server("inventory-0"), server("inventory-1")]
        let answers = try await on("payment-0") {
            try (0..<6).map { _ in try TestSocket.connected(to: "10.77.100.2", port: 5003).text() }
        }
        #expect(answers.count { $0 == "inventory-0 was asked by 10.77.1.1" } == 3)
        #expect(answers.count { $0 == "inventory-1 was asked by 10.77.1.1" } == 3)
        let own = try await onThread {
            try (0..<4).map { _ in try TestSocket.connected(to: "10.77.100.2", port: 5003).text() }
        }
        #expect(own.count { $0 == "inventory-0 was asked by 10.77.0.1" } == 2)
        #expect(own.count { $0 == "inventory-1 was asked by 10.77.0.1" } == 2)
        withExtendedLifetime(servers) {}
    }

    @Test func aServiceWithOneReplicaIsReachedToo() async throws {
        let only = try await server("notification-0", port: 5004)
        let answer = try await on("client") { try TestSocket.connected(to: "10.77.100.3", port: 5004).text() }
        #expect(answer == "notification-0 was asked by 10.77.0.2")
        withExtendedLifetime(only) {}
    }

    @Test func namesAreFoundOnEveryHost() async throws {
        for (name, address) in [
            ("inventory-service", "10.77.100.2"), ("payment-1", "10.77.1.2"), ("scenario-runner", "10.77.0.1"),
        ] {
            let command = InsideLab.network.command(in: "payment-0", ["getent", "ahostsv4", name])
            let found = try await CommandLineTool.run(command[0], Array(command.dropFirst()))
            #expect(found.hasPrefix("\(address) "), "\(name): \(found)")
        }
    }

    @Test func aCommandRunsOnItsHost() async throws {
        let command = InsideLab.network.command(in: "inventory-1", ["ip", "-4", "-o", "addr", "show", "dev", "eth0"])
        let found = try await CommandLineTool.run(command[0], Array(command.dropFirst()))
        #expect(found.contains("inet 10.77.2.2/32"))
    }

    @Test func hostsReachEachOtherOnlyThroughTheRouter() async throws {
        let server = try await server("payment-1", port: 5002)
        func ask() async throws -> String {
            try await on("payment-0") { try TestSocket.connected(to: "10.77.1.2", port: 5002).text() }
        }
        #expect(try await ask() == "payment-1 was asked by 10.77.1.1")
        try await CommandLineTool.run("ip", ["link", "set", "v-payment-1", "down"])
        await #expect(throws: SocketError.self) { _ = try await ask() }
        // The route went with the cable.
        let again = "link set v-payment-1 up\nroute add 10.77.1.2/32 dev v-payment-1\n"
        try await CommandLineTool.run("ip", ["-batch", "-"], input: again)
        #expect(try await ask() == "payment-1 was asked by 10.77.1.1")
        withExtendedLifetime(server) {}
    }

    @Test func itIsNotBuiltTwice() async {
        await #expect(throws: NotInNamespace.self) { try await InsideLab.network.start() }
    }

    private func server(_ host: String, port: Int = 5003) async throws -> NameServer {
        NameServer(name: host, on: try await on(host) { try TestSocket.bound(SOCK_STREAM, "0.0.0.0", port: port) })
    }
}
