import CCurl
import HTTPTypes

/// A handle that keeps its settings from request to request.
extension EasyHandle {
    func set(form: LoadForm) {
        set(url: form.url)
        if form.method == .head {
            ccurl_easy_set_long(pointer, CURLOPT_NOBODY, 1)
        } else {
            ccurl_easy_set_string(pointer, CURLOPT_CUSTOMREQUEST, form.method.rawValue)
        }
    }

    func set(url: String) { ccurl_easy_set_string(pointer, CURLOPT_URL, url) }

    func setHeaders(_ list: UnsafeMutablePointer<curl_slist>?) {
        ccurl_easy_set_pointer(pointer, CURLOPT_HTTPHEADER, list)
    }

    /// - Parameter body: not copied; must stay where it is while the request is under way.
    func set(body: UnsafeBufferPointer<UInt8>) {
        // An empty body has no address, which would mean a body read from a callback.
        let start = body.baseAddress.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(pointer)
        ccurl_easy_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        ccurl_easy_set_pointer(pointer, CURLOPT_POSTFIELDS, start)
    }

    func setCallbacks(of transfer: UnsafeMutableRawPointer) {
        ccurl_easy_set_pointer(pointer, CURLOPT_PRIVATE, transfer)
        ccurl_easy_set_pointer(pointer, CURLOPT_HEADERDATA, transfer)
        ccurl_easy_set_receive(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return LoadTransfer.behind(context)?.receive(headerLine: line) == true ? line.count : 0
        }
        ccurl_easy_set_pointer(pointer, CURLOPT_WRITEDATA, transfer)
        ccurl_easy_set_receive(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return LoadTransfer.behind(context)?.receive(bodyPart: part) == true ? part.count : 0
        }
        ccurl_easy_set_pointer(pointer, CURLOPT_PREREQDATA, transfer)
        ccurl_easy_set_before_request(pointer) { context, peer, _, peerPort, localPort in
            let peer = peer.map { String(cString: $0) } ?? ""
            let connection = PooledSockets.Connection(peer: peer, peerPort: peerPort, localPort: localPort)
            return LoadTransfer.behind(context)?.willSend(on: connection) == true
                ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }
}

extension LoadTransfer {
    /// The transfer that libcurl was given as a context. It lives: its loop holds it until the end.
    static func behind(_ context: UnsafeMutableRawPointer?) -> LoadTransfer? {
        context.map { Unmanaged<LoadTransfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
