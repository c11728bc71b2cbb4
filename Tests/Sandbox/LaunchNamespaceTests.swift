import Glibc
import Logging
import TestSupport
import Testing

@testable import Sandbox

/// The outer process, the inner one, and what becomes of the one when the other ends.
@Suite(.enabled("needs namespaces") { await Again.access() != nil })
struct LaunchNamespaceTests {
    @Test func theInnerProcessIsTheFirstAndItsExitCodeCounts() async throws {
        #expect(try await run("[ $$ = 1 ] && exit 7") == 7)
        #expect(try await run("kill -9 $$; [ -z \"$(ip -o link show dev lo up)\" ] && exit 8") == 8)
    }

    @Test func anOrderToStopIsOneByteAndTheGraceIsTotal() async throws {
        let order = "fd=${\(InheritedDescriptors.environmentKey)#watch=}; read -r -N 1 -u ${fd%%,*} _; exit 5"
        #expect(try await run(order, stopping: true) == 5)
        #expect(try await run("while :; do sleep 0.01; done", stopping: true, grace: .milliseconds(100)) == 137)
    }

    @Test func theHostReachesAServiceInsideThroughTheFrontDoor() async throws {
        let sockets = try FrontDoorSockets.bind([("payment", 0)])
        let port = sockets.listeners[0].port
        let (orders, sink) = AsyncStream<Void>.makeStream()
        let launcher = try await launcher(NamespaceLauncher.ownExecutable, Again.arguments(suite: "LaunchInsideTests"))
        async let code = launcher.run(sockets: sockets) { await orders.first { true } != nil }
        let answers = try await onThread {
            try (0..<2).map { _ in try TestSocket.connected(to: "127.0.0.1", port: port).text() }
        }
        #expect(Set(answers) == ["payment-0 was asked by 10.77.0.1", "payment-1 was asked by 10.77.0.1"])
        sink.yield()
        #expect(try await code == 0)
        #expect(throws: SocketError.self) { try TestSocket.connected(to: "127.0.0.1", port: port) }
    }

    @Test func theDeathOfTheOuterProcessEndsEverythingInside() async throws {
        let sockets = try FrontDoorSockets.bind([("payment", 0)])
        let listener = sockets.listeners[0]
        let outer = try InheritingProcess(
            executable: NamespaceLauncher.ownExecutable, arguments: Again.arguments(suite: "LaunchOuterTests"),
            environment: [
                Again.roleKey: "LaunchOuterTests",
                LaunchOuterTests.socketKey: "\(listener.port) \(listener.descriptor)",
            ], inheriting: [listener.descriptor])
        sockets.close()
        let answer = try await onThread { try TestSocket.connected(to: "127.0.0.1", port: listener.port).text() }
        #expect(answer.hasPrefix("payment-"))
        outer.signal(SIGKILL)
        #expect(await outer.exitCode() == 137)
        // Its last holder gone, the port is free again.
        try await eventually("the end of all that was inside") {
            (try? FrontDoorSockets.bind([("again", listener.port)]))?.close() != nil
        }
    }

    private func run(_ script: String, stopping: Bool = false, grace: Duration = .seconds(10)) async throws -> Int32 {
        try await launcher("/bin/bash", ["-c", script], grace: grace).run(sockets: FrontDoorSockets.bind([("x", 0)])) {
            if !stopping { try? await Task.sleep(for: .seconds(60)) }
            return stopping
        }
    }

    private func launcher(
        _ executable: String, _ arguments: [String], grace: Duration = .seconds(10)
    ) async throws -> NamespaceLauncher {
        NamespaceLauncher(
            access: try #require(await Again.access()), executable: executable, arguments: arguments, grace: grace)
    }
}

/// A lab as small as can be, the inner half: started by ``LaunchNamespaceTests``.
@Suite(.enabled(if: getenv(InheritedDescriptors.environmentKey) != nil, "runs inside, by LaunchNamespaceTests"))
struct LaunchInsideTests {
    @Test func serveUntilToldToStop() async throws {
        let inherited = try #require(try InheritedDescriptors.claim())
        try #require(getenv(InheritedDescriptors.environmentKey) == nil)
        let (stops, sink) = AsyncStream<Void>.makeStream()
        OuterWatch.start(descriptor: inherited.watch) { sink.yield() }
        try await InsideLab.start()
        let servers = try await ["payment-0", "payment-1"].asyncMap { host in
            NameServer(name: host, on: try await on(host) { try TestSocket.bound(SOCK_STREAM, "0.0.0.0", port: 5002) })
        }
        let door = try #require(inherited.listener("payment"))
        let front = FrontDoor(
            routes: [.init(descriptor: door.descriptor, host: "payment-service", port: 5002)],
            logger: Logger(label: "front-door"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await front.run() }
            _ = await stops.first { true }
            group.cancelAll()
            try await group.waitForAll()
        }
        withExtendedLifetime(servers) {}
    }
}

/// The outer half, in a process that can be killed: started by ``LaunchNamespaceTests``.
@Suite(.enabled(if: Again.role == "LaunchOuterTests", "runs in a process of its own, by LaunchNamespaceTests"))
struct LaunchOuterTests {
    static let socketKey = "SANDBOX_TEST_SOCKET"

    @Test func runTheInnerProcess() async throws {
        let numbers = String(cString: try #require(getenv(Self.socketKey))).split(separator: " ")
        let listener = ListeningSocket(
            name: "payment", port: try #require(Int(numbers[0])), descriptor: try #require(Int32(numbers[1])))
        try #require(fcntl(listener.descriptor, F_SETFD, FD_CLOEXEC) == 0)
        let launcher = NamespaceLauncher(
            access: try #require(await Again.access()), arguments: Again.arguments(suite: "LaunchInsideTests"))
        _ = try await launcher.run(sockets: FrontDoorSockets(listeners: [listener]))
    }
}

extension Array {
    fileprivate func asyncMap<Mapped>(_ transform: (Element) async throws -> Mapped) async rethrows -> [Mapped] {
        var mapped: [Mapped] = []
        for element in self { mapped.append(try await transform(element)) }
        return mapped
    }
}
