import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Brings the host's connections into the lab: a TCP relay on sockets that were bound outside.
///
/// ```
///   curl --> 127.0.0.1:5002 (host) ==inherited socket==> relay (in `client`) --> payment-service:5002
/// ```
///
/// It copies bytes both ways as fast as the slower side takes them and knows no protocol. A half that ends is
/// ended on the other side; a side that breaks is reset on the other side, so that the user sees what became
/// of the service and not an orderly end.
public struct FrontDoor: Service {
    /// One door: an inherited socket that listens, and where its connections go.
    public struct Route: Sendable, Equatable {
        /// Where a connection goes.
        public struct Destination: Sendable, Equatable {
            public let host: String
            public let port: Int
        }

        public let descriptor: Int32
        /// At least one. Connections take turns, as the router does with a virtual address.
        public let destinations: [Destination]

        /// - Parameter descriptor: a listening TCP socket; the front door closes it when it ends.
        public init(descriptor: Int32, host: String, port: Int) {
            self.descriptor = descriptor
            destinations = [Destination(host: host, port: port)]
        }

        /// As an argument for a process that inherits the socket: `7:payment-service:5002`, or with several
        /// destinations `7:127.0.0.1:4001,127.0.0.1:4002`.
        public var argument: String {
            "\(descriptor):" + destinations.map { "\($0.host):\($0.port)" }.joined(separator: ",")
        }

        /// Nil for anything but the text of ``argument``.
        public init?(argument: String) {
            let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let descriptor = Int32(parts[0]), descriptor > 2 else { return nil }
            var destinations: [Destination] = []
            for text in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                let halves = text.split(separator: ":", omittingEmptySubsequences: false)
                guard halves.count == 2, !halves[0].isEmpty, let port = Int(halves[1]), 1...65535 ~= port else {
                    return nil
                }
                destinations.append(Destination(host: String(halves[0]), port: port))
            }
            self.descriptor = descriptor
            self.destinations = destinations
        }
    }

    typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let routes: [Route]
    /// Connections at a time and route; more wait to be accepted.
    let connectionLimit: Int
    /// Long enough that a user's own time limit, not this one, ends a connect under packet loss.
    let connectTimeout: Duration
    let logger: Logger

    public init(
        routes: [Route], connectionLimit: Int = 1024, connectTimeout: Duration = .seconds(30), logger: Logger
    ) {
        self.routes = routes
        self.connectionLimit = connectionLimit
        self.connectTimeout = connectTimeout
        self.logger = logger
    }

    /// Relays until the task is cancelled or a graceful shutdown begins; then all connections are closed.
    ///
    /// - Throws: when a descriptor is no listening socket.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await relayAll() }
        } catch is CancellationError {
            logger.debug("front door closed")
        }
    }

    private func relayAll() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for route in routes { group.addTask { try await accept(route) } }
            for try await _ in group {}
        }
        try Task.checkCancellation()
    }

    private func accept(_ route: Route) async throws {
        let door = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(route.descriptor, serverBackPressureStrategy: .init(lowWatermark: 1, highWatermark: 8)) {
                Self.wrap($0).map(Arrival.init)
            }
        try await door.executeThenClose { arrivals in
            try await withThrowingTaskGroup(of: Void.self) { group in
                var open = 0
                var turn = 0
                for try await arrival in arrivals {
                    // An ended one counts until it is collected here, which is at once if there is any.
                    if open == connectionLimit {
                        try await group.next()
                        open -= 1
                    }
                    let destination = route.destinations[turn % route.destinations.count]
                    turn += 1
                    group.addTask { await relay(arrival, to: destination) }
                    open += 1
                }
                group.cancelAll()
            }
        }
    }

    /// Serves one connection; its failure is its own affair.
    private func relay(_ arrival: Arrival, to destination: Route.Destination) async {
        do {
            let client = arrival.served()
            try await Self.resettingOnError(client) { fromClient, toClient in
                let server = try await ClientBootstrap(group: client.channel.eventLoop)
                    .channelOption(.allowRemoteHalfClosure, value: true)
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connectTimeout(.nanoseconds(connectTimeout.nanoseconds))
                    .connect(host: destination.host, port: destination.port) { Self.wrap($0) }
                try await Self.resettingOnError(server) { fromServer, toServer in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await Self.copy(fromClient, toServer) }
                        group.addTask { try await Self.copy(fromServer, toClient) }
                        // Not `waitForAll`, which would wait for the other direction after one broke.
                        for try await _ in group {}
                    }
                }
            }
        } catch {
            logger.debug("a connection to \(destination.host):\(destination.port) broke: \(error)")
        }
    }

    private typealias Body = (
        NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> Void

    /// Closes the connection in good order after `body`, or with RST when it throws.
    private static func resettingOnError(_ connection: Bytes, _ body: Body) async throws {
        try await connection.executeThenClose { inbound, outbound in
            do {
                try await body(inbound, outbound)
            } catch {
                try? await reset(connection.channel)
                throw error
            }
        }
    }

    /// Writing waits while the receiver is full, and reading while writing waits.
    private static func copy(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>, _ sink: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await bytes in source { try await sink.write(bytes) }
        try Task.checkCancellation()
        sink.finish()
    }

    /// Ends a connection with RST instead of FIN.
    private static func reset(_ channel: any Channel) async throws {
        if let options = channel as? any SocketOptionProvider {
            try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    private static func wrap(_ channel: any Channel) -> EventLoopFuture<Bytes> {
        channel.eventLoop.makeCompletedFuture {
            try Bytes(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }
}

/// A connection that was accepted and waits to be served; one that never is closes when it is dropped.
///
/// At the end of the front door NIO drops what waits. A `NIOAsyncChannel` that is dropped before its channel has closed
/// traps, and would take the process with it. (It is there from the beginning all the same: a client that has ended
/// its half already is read at once, and what nobody handles then is lost.)
private final class Arrival: Sendable {
    private let connection: FrontDoor.Bytes
    private let isServed = Atomic<Bool>(false)

    init(_ connection: FrontDoor.Bytes) { self.connection = connection }

    deinit {
        guard !isServed.load(ordering: .relaxed) else { return }
        let connection = connection
        connection.channel.close(promise: nil)
        connection.channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
    }

    /// The connection, for whoever serves it and closes it in the end.
    func served() -> FrontDoor.Bytes {
        isServed.store(true, ordering: .relaxed)
        return connection
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
