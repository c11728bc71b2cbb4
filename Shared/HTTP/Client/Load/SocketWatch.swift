import CCurl

/// What libcurl waits for, kept with the kernel.
///
/// libcurl lets go of a socket whenever its request is done and asks for it again with the next one. A pooled socket
/// therefore stays watched in between, which spares two system calls a request; it is let go when something comes on
/// it that nobody asked for.
final class SocketWatch {
    private struct Socket {
        /// What the kernel watches it for, CURL_POLL_*.
        var interest = CURL_POLL_NONE
        var isParked = false
    }

    private var poller: ccurl_poller
    private let pool: PooledSockets
    private var sockets: [Socket] = []
    private var ready = [ccurl_ready](repeating: ccurl_ready(), count: SocketWatch.maxReady)

    private static let maxReady = 256

    init(_ poller: ccurl_poller, _ pool: PooledSockets) {
        self.poller = poller
        self.pool = pool
    }

    /// What CURLMOPT_SOCKETFUNCTION is told.
    func change(_ socket: Int32, to interest: Int32) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Socket()) }
        let now = sockets[index]
        if interest == CURL_POLL_REMOVE {
            if pool.contains(socket) {
                sockets[index].isParked = true
            } else {
                forget(index)
            }
            return
        }
        sockets[index] = Socket(interest: interest)
        if now.interest != interest { ccurl_poller_watch(&poller, socket, now.interest, interest) }
    }

    /// The socket is closed now; the kernel forgets it by itself.
    func closes(_ socket: Int32) {
        if Int(socket) < sockets.count { sockets[Int(socket)] = Socket() }
    }

    /// Waits until `untilNs`, or until something happens, and hands what happened to `tell`.
    func wait(untilNs: UInt64, _ tell: (_ socket: Int32, _ ready: Int32) -> Void) {
        let count = Int(ccurl_poller_wait(&poller, untilNs, &ready, Int32(Self.maxReady)))
        for index in 0..<count {
            let event = ready[index]
            if sockets[Int(event.socket)].isParked {
                forget(Int(event.socket))
            } else {
                tell(event.socket, event.ready)
            }
        }
    }

    private func forget(_ index: Int) {
        if sockets[index].interest != CURL_POLL_NONE {
            ccurl_poller_watch(&poller, Int32(index), sockets[index].interest, CURL_POLL_NONE)
        }
        sockets[index] = Socket()
    }
}
