import Glibc
import Shared
import Synchronization
import TestSupport

@testable import Sandbox

/// Answers one byte for each, on many connections, from one thread on one host of the lab.
final class EchoServer: Sendable {
    let port: Int
    private let end: (read: CInt, write: CInt)

    init(on host: String) async throws {
        let listening = try await on(host) {
            let socket = try TestSocket.bound(SOCK_STREAM, "0.0.0.0")
            listen(socket.descriptor, RequestTrials.maximum)
            return socket
        }
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw SocketError(call: "pipe", code: errno) }
        let end = (read: ends[0], write: ends[1])
        self.end = end
        port = listening.port
        BlockingThread.start {
            Self.serve(listening, until: end.read)
            close(end.read)
        }
    }

    deinit { close(end.write) }

    private static func serve(_ listening: TestSocket, until end: CInt) {
        var connections: [CInt: TestSocket] = [:]
        while true {
            var waiting = ([end, listening.descriptor] + connections.keys).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&waiting, nfds_t(waiting.count), -1) > 0, waiting[0].revents == 0 else { return }
            if waiting[1].revents != 0, let (accepted, _) = try? listening.accepted() {
                connections[accepted.descriptor] = accepted
            }
            for ready in waiting.dropFirst(2) where ready.revents != 0 {
                var byte: UInt8 = 0
                let isAlive = recv(ready.fd, &byte, 1, 0) == 1 && send(ready.fd, &byte, 1, Int32(MSG_NOSIGNAL)) == 1
                if !isAlive { connections[ready.fd] = nil }
            }
        }
    }
}

/// Many requests of one byte side by side, and when each was connected and answered.
enum RequestTrials {
    struct Outcome: Sendable {
        /// Milliseconds from its start; nil when it did not come to that.
        var connectedMs: Double?
        var answeredMs: Double?
    }

    static let maximum: CInt = 4096

    private struct Trial {
        let socket: TestSocket
        var startNs: Int64 = 0
        var outcome = Outcome()
        var isOver = false
    }

    /// Makes room for thousands of sockets, where the machine allows it.
    static func raiseLimit() {
        // RLIMIT_NOFILE
        let files = __rlimit_resource_t(7)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
    }

    /// Sockets of a host: not yet connected, or connected to a port.
    static func sockets(_ count: Int, on host: String, connectedTo end: (address: String, port: Int)? = nil)
        async throws
        -> [TestSocket]
    {
        try await on(host) {
            try (0..<count).map { _ in
                guard let end else { return try TestSocket.open(SOCK_STREAM) }
                let socket = try TestSocket.connected(to: end.address, port: end.port)
                // Both ends have measured the way, as on a connection that is in use.
                try socket.send([1])
                _ = try socket.receive(1)
                return socket
            }
        }
    }

    /// Sends a byte on each and waits for the answer.
    ///
    /// - Parameters:
    ///   - end: to connect to first; nil for sockets that are connected.
    ///   - spreadMs: the starts are spread over this time.
    ///   - patienceMs: what each waits, from its start.
    static func run(
        _ sockets: [TestSocket], connectingTo end: (address: String, port: Int)? = nil, spreadMs: Int, patienceMs: Int
    ) async throws -> [Outcome] {
        try await onThread {
            var trials = sockets.map { Trial(socket: $0) }
            for socket in sockets { _ = fcntl(socket.descriptor, F_SETFL, O_NONBLOCK) }
            let beginNs = MonotonicClock.now
            let lastNs = beginNs + Int64(spreadMs + patienceMs) * 1_000_000
            var started = 0
            while true {
                let now = MonotonicClock.now
                let share = Double(now - beginNs) / Double(max(spreadMs, 1)) / 1e6
                while started < trials.count, Double(started) <= share * Double(trials.count) {
                    begin(&trials[started], end)
                    started += 1
                }
                let open = trials.indices.prefix(started).filter { !trials[$0].isOver }
                guard now < lastNs, started < trials.count || !open.isEmpty else { break }
                var waiting = open.map { index in
                    let isConnecting = trials[index].outcome.connectedMs == nil
                    return pollfd(
                        fd: trials[index].socket.descriptor, events: Int16(isConnecting ? POLLOUT : POLLIN), revents: 0)
                }
                // Only who has still to start cannot wait for an answer.
                poll(&waiting, nfds_t(waiting.count), started < trials.count ? 2 : 20)
                for (place, index) in open.enumerated() where waiting[place].revents != 0 { goOn(&trials[index]) }
            }
            return trials.map(\.outcome)
        }
    }

    private static func begin(_ trial: inout Trial, _ end: (address: String, port: Int)?) {
        trial.startNs = MonotonicClock.now
        guard let end else {
            trial.outcome.connectedMs = 0
            return ask(&trial)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(end.port).bigEndian
        inet_pton(AF_INET, end.address, &address.sin_addr)
        let descriptor = trial.socket.descriptor
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func goOn(_ trial: inout Trial) {
        let ms = Double(MonotonicClock.now - trial.startNs) / 1e6
        if trial.outcome.connectedMs == nil {
            var (error, size) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
            getsockopt(trial.socket.descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
            guard error == 0 else { return trial.isOver = true }
            trial.outcome.connectedMs = ms
            return ask(&trial)
        }
        var byte: UInt8 = 0
        if recv(trial.socket.descriptor, &byte, 1, 0) == 1 { trial.outcome.answeredMs = ms }
        trial.isOver = true
    }

    private static func ask(_ trial: inout Trial) {
        var byte: UInt8 = 1
        if send(trial.socket.descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) != 1 { trial.isOver = true }
    }
}
