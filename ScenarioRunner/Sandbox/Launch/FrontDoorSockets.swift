import Glibc

/// A TCP socket that listens and that a child process is to inherit.
public struct ListeningSocket: Sendable, Equatable {
    /// What it is for: `payment`, `runner`.
    public let name: String
    /// The port it listens on; never 0.
    public let port: Int
    public let descriptor: Int32

    public init(name: String, port: Int, descriptor: Int32) {
        self.name = name
        self.port = port
        self.descriptor = descriptor
    }
}

/// The lab's only doors to the host: sockets that listen on 127.0.0.1 of the *host's* network.
///
/// A socket belongs for ever to the network namespace in which it was made. Bound out here and inherited by
/// the processes inside, these accept the host's connections although nothing inside can reach the host.
/// They are close-on-exec: whoever is to inherit one is given it by name (``InheritingProcess``).
public struct FrontDoorSockets: Sendable {
    public let listeners: [ListeningSocket]

    /// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn.
    private static let backlog: Int32 = 1024

    /// Binds every port, or none.
    ///
    /// - Parameter ports: name and port of each; port 0 takes any free one (``ListeningSocket/port`` tells which).
    /// - Throws: ``PortUnavailable`` for the first that cannot be had; the others are closed again.
    public static func bind(_ ports: [(name: String, port: Int)]) throws -> FrontDoorSockets {
        var listeners: [ListeningSocket] = []
        do {
            for (name, port) in ports { listeners.append(try listen(name: name, port: port)) }
        } catch {
            FrontDoorSockets(listeners: listeners).close()
            throw error
        }
        return FrontDoorSockets(listeners: listeners)
    }

    /// Closes this process's copies; a child that inherited them keeps its own.
    public func close() {
        for listener in listeners { Glibc.close(listener.descriptor) }
    }

    private static func listen(name: String, port: Int) throws -> ListeningSocket {
        let wanted = UInt16(exactly: port)
        guard let wanted else { throw PortUnavailable(port: port, code: EINVAL) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw PortUnavailable(port: port, code: errno) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = wanted.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length) != 0 || Glibc.listen(descriptor, backlog) != 0
                    || getsockname(descriptor, $0, &length) != 0
            }
        }
        guard !failed else {
            let code = errno
            Glibc.close(descriptor)
            throw PortUnavailable(port: port, code: code)
        }
        return ListeningSocket(name: name, port: Int(UInt16(bigEndian: address.sin_port)), descriptor: descriptor)
    }
}

/// A port of the front door that cannot be had. The command line exits with 69.
public struct PortUnavailable: Error, Sendable, Equatable, CustomStringConvertible {
    public let port: Int
    /// The `errno` of the call that failed.
    public let code: Int32

    public var description: String {
        switch code {
        case EADDRINUSE:
            "port \(port) on 127.0.0.1 is taken by another program; end that program (ss -ltnp 'sport = :\(port)' "
                + "names it) or choose other ports"
        case EACCES: "port \(port) may not be bound by this user; choose one from 1024 up"
        case EINVAL: "\(port) is not a port; it must be 0 to 65535"
        default: "port \(port) on 127.0.0.1 cannot be bound: \(String(cString: strerror(code)))"
        }
    }
}
