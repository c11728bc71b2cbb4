import Foundation
import Shared
import Testing

/// Cancellation and the end of the client.
@Suite(.timeLimit(.minutes(1)))
struct HTTPClientLifetimeTests {
    @Test func cancellationEndsAHangingRequestAndFreesItsPlace() async throws {
        let configuration = HTTPClientConfiguration(maxConnectionsPerHost: 1, maxInFlight: 1)
        try await withHostileServer(configuration: configuration) { peer in
            if peer.number == 1 { return peer.hang() }
            peer.readRequests { _ in peer.answer("ok") }
        } _: { client, server in
            let request = HTTPClientRequest(url: server.url, timeout: .seconds(30))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await client.execute(request) }
                }
                #expect(await HostileServer.wait { server.open == 1 })
                let start = ContinuousClock.now
                group.cancelAll()
                await group.waitForAll()
                #expect(start.duration(to: .now) < .seconds(5))
            }
            #expect(await HostileServer.wait { server.open == 0 }, "the connection is closed")
            let next = try await client.execute(request)
            #expect(next.body == Data("ok".utf8))
        }
    }

    @Test func cancelledTaskSendsNothing() async throws {
        try await withHostileServer({ $0.hang() }) { client, server in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(30)))
                    }
                }
            }
            #expect(server.accepted == 0)
        }
    }

    /// Cancels at every moment between the call and some time after the answer. A continuation that is resumed twice,
    /// or never, ends the test process or its time.
    @Test func cancellationAtAnyMoment() async throws {
        try await withHostileServer(configuration: HTTPClientConfiguration(maxConnectionsPerHost: 4, maxInFlight: 8)) {
            peer in
            peer.readRequests { _ in peer.answer("ok") }
        } _: { client, server in
            var (answered, cancelled) = (0, 0)
            for round in 0..<300 {
                await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            do {
                                _ = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(30)))
                                return true
                            } catch {
                                #expect(error is CancellationError)
                                return false
                            }
                        }
                    }
                    for _ in 0..<(round % 50) * 20 { await Task.yield() }
                    group.cancelAll()
                    for await wasAnswered in group {
                        if wasAnswered { answered += 1 } else { cancelled += 1 }
                    }
                }
            }
            #expect(answered + cancelled == 1200)
            #expect(cancelled > 0)
            let last = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            #expect(last.body == Data("ok".utf8))
        }
    }

    @Test func manyThatGiveUpWhileWaitingLeaveNothingBehind() async throws {
        try await withHostileServer(configuration: HTTPClientConfiguration(maxInFlight: 1)) { peer in
            peer.readRequests { $0.line.contains("hang") ? peer.hang() : peer.answer("ok") }
        } _: { client, server in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let timeout = Duration.milliseconds(200 + number % 10 * 20)
                        await #expect(throws: HTTPClientError.timedOut) {
                            try await client.execute(HTTPClientRequest(url: "\(server.url)/hang", timeout: timeout))
                        }
                    }
                }
            }
            let after = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            #expect(after.body == Data("ok".utf8))
        }
    }

    @Test func shutdownFailsWhatIsInFlight() async throws {
        let configuration = HTTPClientConfiguration(maxInFlight: 10)
        try await withHostileServer(configuration: configuration, { $0.hang() }) { client, server in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await #expect(throws: HTTPClientError.closed) {
                            try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(30)))
                        }
                    }
                }
                #expect(await HostileServer.wait { server.open == 10 })
                await client.shutdown()
                await client.shutdown()
                await group.waitForAll()
            }
            #expect(await HostileServer.wait { server.open == 0 }, "all connections are closed")
            await #expect(throws: HTTPClientError.closed) {
                try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            }
        }
    }

    @Test func droppingTheClientEndsItsThreadAndConnections() async throws {
        let server = try HostileServer { peer in peer.readRequests { _ in peer.answer("ok") } }
        do {
            let client = HTTPClient()
            _ = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            #expect(server.open == 1)
        }
        #expect(await HostileServer.wait { server.open == 0 })
        await server.stop()
    }
}
