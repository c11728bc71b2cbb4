import Glibc
import Testing

@testable import Sandbox

@Suite struct LaunchDescriptorTests {
    @Test func descriptorsSurviveTheWayThroughText() throws {
        let inherited = InheritedDescriptors(
            watch: 9,
            listeners: [
                ListeningSocket(name: "payment", port: 5002, descriptor: 4),
                ListeningSocket(name: "runner", port: 8000, descriptor: 5),
            ])
        #expect(inherited.encoded == "watch=9,payment@5002=4,runner@8000=5")
        #expect(InheritedDescriptors(encoded: inherited.encoded) == inherited)
        #expect(inherited.listener("runner")?.descriptor == 5)
        #expect(inherited.listener("inventory") == nil)
    }

    @Test(arguments: [
        "", "watch=", "watch=x", "watch=1", "watch=9,", "payment@5002=4", "watch=9,payment=4", "watch=9,@5002=4",
        "watch=9,payment@0=4", "watch=9,payment@65536=4", "watch=9,watch=8", "watch=9,payment@5002=4=4",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(InheritedDescriptors(encoded: text) == nil)
    }

    @Test func aRouteSurvivesTheWayThroughAnArgument() {
        let route = FrontDoor.Route(descriptor: 7, host: "payment-service", port: 5002)
        #expect(route.argument == "7:payment-service:5002")
        #expect(FrontDoor.Route(argument: route.argument) == route)
        for nonsense in ["", "7:payment-service", "1:a:5", "7::5", "7:a:0", "7:a:x", "7:a:5:6"] {
            #expect(FrontDoor.Route(argument: nonsense) == nil)
        }
    }

    @Test func socketsListenOnLoopbackAndAreCloseOnExec() throws {
        let sockets = try FrontDoorSockets.bind([("a", 0), ("b", 0)])
        defer { sockets.close() }
        #expect(sockets.listeners.map(\.name) == ["a", "b"])
        for listener in sockets.listeners {
            #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
            _ = try TestSocket.connected(to: "127.0.0.1", port: listener.port)
        }
    }

    @Test func aPortThatIsTakenIsNamedAndTheOthersAreClosed() throws {
        let taken = try TestSocket.bound(SOCK_STREAM)
        let free = try FrontDoorSockets.bind([("free", 0)])
        let port = free.listeners[0].port
        free.close()
        #expect(throws: PortUnavailable(port: taken.port, code: EADDRINUSE)) {
            try FrontDoorSockets.bind([("free", port), ("taken", taken.port)])
        }
        try FrontDoorSockets.bind([("free", port)]).close()
        #expect("\(PortUnavailable(port: 5002, code: EADDRINUSE))".contains("port 5002 on 127.0.0.1 is taken"))
        #expect(throws: PortUnavailable(port: 65_536, code: EINVAL)) { try FrontDoorSockets.bind([("x", 65_536)]) }
    }

    @Test func theWatchTellsStopOnceAndThenTheEnd() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        let (events, sink) = AsyncStream<String>.makeStream()
        OuterWatch.start(
            descriptor: ends[0], onStop: { sink.yield("stop") },
            onEnd: {
                sink.yield("end")
                sink.finish()
            })
        for _ in 0..<2 { #expect(write(ends[1], "x", 1) == 1) }
        close(ends[1])
        var told: [String] = []
        for await event in events { told.append(event) }
        #expect(told == ["stop", "end"])
    }
}
