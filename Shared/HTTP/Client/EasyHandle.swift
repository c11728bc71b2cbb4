import CCurl
import Foundation
import HTTPTypes

/// A libcurl easy handle: one request and its answer at a time, and reusable afterwards.
struct EasyHandle {
    let pointer: UnsafeMutableRawPointer

    init() {
        guard let pointer = curl_easy_init() else { preconditionFailure("out of memory") }
        self.pointer = pointer
    }

    func free() {
        curl_easy_cleanup(pointer)
    }

    /// Makes the handle ready for `transfer`, forgetting everything of the one before.
    func prepare(for transfer: Transfer, _ configuration: HTTPClientConfiguration, _ pool: PooledSockets) {
        curl_easy_reset(pointer)
        setHabits(configuration)
        setRequest(transfer.request)
        if transfer.request.url.hasPrefix("https://") { setTLS(transfer.request.tls) }
        ccurl_easy_set_pointer(pointer, CURLOPT_HTTPHEADER, transfer.headers.list)
        if let connectTo = transfer.connectTo {
            ccurl_easy_set_pointer(pointer, CURLOPT_CONNECT_TO, connectTo.list)
        }
        setCallbacks(Unmanaged.passUnretained(transfer).toOpaque())
        closeSockets(through: pool)
    }

    /// Has `pool`, which must outlive every connection, close the sockets.
    func closeSockets(through pool: PooledSockets) {
        ccurl_easy_set_pointer(pointer, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(pool).toOpaque())
        ccurl_easy_set_close_socket(pointer) { context, socket in
            context.map { Unmanaged<PooledSockets>.fromOpaque($0).takeUnretainedValue().close(socket) } ?? -1
        }
    }

    /// Has the request, when it is sent, open a connection of its own.
    func demandFreshConnection(_ isDemanded: Bool = true) {
        ccurl_easy_set_long(pointer, CURLOPT_FRESH_CONNECT, isDemanded ? 1 : 0)
    }

    func setHabits(_ configuration: HTTPClientConfiguration) {
        ccurl_easy_set_close_on_exec(pointer)
        ccurl_easy_set_long(pointer, CURLOPT_NOSIGNAL, 1)
        ccurl_easy_set_long(pointer, CURLOPT_TCP_NODELAY, 1)
        ccurl_easy_set_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        ccurl_easy_set_string(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_easy_set_long(pointer, CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        ccurl_easy_set_long(pointer, CURLOPT_PATH_AS_IS, 1)
        ccurl_easy_set_long(pointer, CURLOPT_FOLLOWLOCATION, 0)
        ccurl_easy_set_string(pointer, CURLOPT_NOPROXY, "*")
        ccurl_easy_set_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, max(1, configuration.connectTimeout.wholeMilliseconds))
        ccurl_easy_set_long(pointer, CURLOPT_DNS_CACHE_TIMEOUT, Int(configuration.nameCacheTime.components.seconds))
        ccurl_easy_set_long(pointer, CURLOPT_MAXAGE_CONN, max(1, Int(configuration.maxIdleTime.components.seconds)))
        // A transfer that ends during its name lookup leaves the lookup's thread behind, to end by itself; the
        // default is to wait for it, and with it every other transfer of this client.
        ccurl_easy_set_long(pointer, CURLOPT_QUICK_EXIT, 1)
    }

    private func setRequest(_ request: HTTPClientRequest) {
        ccurl_easy_set_string(pointer, CURLOPT_URL, request.url)
        if request.method == .head {
            ccurl_easy_set_long(pointer, CURLOPT_NOBODY, 1)
            return
        }
        if let body = request.bodyToSend {
            ccurl_easy_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            body.withUnsafeBytes { bytes in
                // Copied by libcurl. An empty body has no address, which would mean a body read from a callback.
                let start = bytes.baseAddress ?? UnsafeRawPointer(pointer)
                ccurl_easy_set_pointer(pointer, CURLOPT_COPYPOSTFIELDS, start)
            }
        }
        ccurl_easy_set_string(pointer, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func setCallbacks(_ transfer: UnsafeMutableRawPointer) {
        ccurl_easy_set_pointer(pointer, CURLOPT_PRIVATE, transfer)
        ccurl_easy_set_pointer(pointer, CURLOPT_HEADERDATA, transfer)
        ccurl_easy_set_receive(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.behind(context)?.receive(headerLine: line) == true ? line.count : 0
        }
        ccurl_easy_set_pointer(pointer, CURLOPT_WRITEDATA, transfer)
        ccurl_easy_set_receive(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return switch Transfer.behind(context)?.receive(bodyPart: part) {
            case .taken: part.count
            case .paused: Int(CURL_WRITEFUNC_PAUSE)
            case .ended, nil: 0
            }
        }
        ccurl_easy_set_pointer(pointer, CURLOPT_PREREQDATA, transfer)
        ccurl_easy_set_before_request(pointer) { context, peer, _, peerPort, localPort in
            let peer = peer.map { String(cString: $0) } ?? ""
            let connection = PooledSockets.Connection(peer: peer, peerPort: peerPort, localPort: localPort)
            return Transfer.behind(context)?.willSend(on: connection) == true
                ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    /// Has libcurl offer again what was paused.
    func resume() {
        curl_easy_pause(pointer, CURLPAUSE_CONT)
    }

    // MARK: What libcurl knows afterwards

    var status: Int { ccurl_easy_get_long(pointer, CURLINFO_RESPONSE_CODE, 0) }

    /// What the answer announced, or -1.
    var contentLength: Int64 { Int64(ccurl_easy_get_offset(pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, -1)) }

    /// The error number of the system call that failed, or 0.
    var systemError: Int { ccurl_easy_get_long(pointer, CURLINFO_OS_ERRNO, 0) }

    var usesPooledConnection: Bool { ccurl_easy_get_long(pointer, CURLINFO_NUM_CONNECTS, 1) == 0 }

    /// The socket of the connection that the request has left in the pool.
    var pooledSocket: Int32? {
        let socket = ccurl_easy_get_pooled_socket(pointer)
        return socket < 0 ? nil : socket
    }

    var timings: HTTPClientTimings {
        HTTPClientTimings(
            nameLookup: duration(CURLINFO_NAMELOOKUP_TIME_T),
            connect: duration(CURLINFO_CONNECT_TIME_T),
            firstByte: duration(CURLINFO_STARTTRANSFER_TIME_T),
            total: duration(CURLINFO_TOTAL_TIME_T),
            reusedConnection: usesPooledConnection)
    }

    private func duration(_ info: CURLINFO) -> Duration {
        .microseconds(ccurl_easy_get_offset(pointer, info, 0))
    }
}

extension Transfer {
    /// The transfer that a callback was given as its context. It lives: the client's thread holds it until it has
    /// taken the handle away from libcurl.
    fileprivate static func behind(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
