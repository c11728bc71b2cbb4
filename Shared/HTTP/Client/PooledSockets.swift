import Glibc

/// The sockets of the pooled connections, to see whether one is clean before a request goes out on it.
///
/// A server that says more than it announced leaves bytes behind, and libcurl (7.88) takes them for the answer to the
/// next request on that connection: a forged answer to somebody else's question.
final class PooledSockets {
    struct Connection: Hashable {
        let peer: String
        let peerPort: Int32
        let localPort: Int32
    }

    /// Told of every socket that is about to be closed.
    var willClose: (Int32) -> Void = { _ in }

    private var sockets: [Connection: Int32] = [:]
    private var connections: [Int32: Connection] = [:]

    func add(_ socket: Int32, _ connection: Connection) {
        sockets[connection] = socket
        connections[socket] = connection
    }

    /// Takes the place of close(2) for every socket of libcurl, so that no number here outlives its socket.
    func close(_ socket: Int32) -> Int32 {
        if let connection = connections.removeValue(forKey: socket) { sockets[connection] = nil }
        willClose(socket)
        return Glibc.close(socket)
    }

    func contains(_ socket: Int32) -> Bool { connections[socket] != nil }

    /// Whether nothing has come, neither bytes nor the end, on a connection over which nothing was asked.
    func isClean(_ connection: Connection) -> Bool {
        guard let socket = sockets[connection] else { return true }
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }
}
