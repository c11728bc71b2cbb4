import CCurl
import Foundation
import HTTPTypes

/// A form with what libcurl needs of it, set up once.
final class PreparedForm {
    let form: LoadForm
    /// Among the loop's forms.
    let place: Int
    let headers: RequestHeaders
    let sendsBody: Bool
    let isURLValid: Bool
    let maySendAgain: Bool

    init(_ form: LoadForm, at place: Int, timeout: Duration, userAgent: String) {
        var request = HTTPClientRequest(
            method: form.method, url: form.url, headers: form.headers, body: form.body.map { Data($0) },
            timeout: timeout)
        sendsBody = request.bodyToSend != nil
        // The list tells libcurl what not to add by itself, which depends on whether there is a body.
        if sendsBody, request.body == nil { request.body = Data() }
        headers = RequestHeaders(for: request, timeout: timeout, userAgent: userAgent)
        isURLValid = RequestURL.isValid(form.url)
        maySendAgain = RequestHeaders.maySendAgain(form)
        self.form = form
        self.place = place
    }
}

/// One of a loop's handles, set up for one form and used for many requests of it, one at a time.
///
/// The checks are those of ``Transfer``; the difference is that nothing is made anew for a request.
final class LoadTransfer {
    let slot: Int
    let easy: EasyHandle
    let form: PreparedForm
    private(set) var token = 0
    private(set) var startedNs: UInt64 = 0
    private(set) var deadlineNs: UInt64 = 0
    /// Nothing was sent, for the pooled connection was not clean.
    private(set) var needsFreshConnection = false
    private(set) var body: [UInt8] = []
    private(set) var servedBy: String?

    private let pool: PooledSockets
    private let limits: HTTPClientConfiguration
    private let names: AnswererNames
    private var failure: HTTPClientError?
    private var opened: PooledSockets.Connection?
    private var maySendAgain = false
    private var timesSent = 0
    private var headerBytes = 0
    private var headerFields = 0
    private var bodyBytes = 0
    private var sent = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var ownHeaders: UnsafeMutablePointer<curl_slist>?
    private var hasOwnURL = false
    private var isPlain = false
    private var demandsFreshConnection = false

    /// Answers of services are small; a larger one is a failure.
    private static let maxBodyBytes = 1024 * 1024

    init(
        slot: Int, _ form: PreparedForm, _ limits: HTTPClientConfiguration, _ pool: PooledSockets,
        _ names: AnswererNames
    ) {
        (self.slot, self.form, self.limits, self.pool, self.names) = (slot, form, limits, pool, names)
        easy = EasyHandle()
        easy.setHabits(limits)
        easy.closeSockets(through: pool)
        easy.set(form: form.form)
        easy.setHeaders(form.headers.list)
        easy.setCallbacks(of: Unmanaged.passUnretained(self).toOpaque())
    }

    func free() {
        easy.free()
        freeOwnHeaders()
        sent.deallocate()
    }

    // MARK: Before

    /// Makes the handle ready for the next request. Returns false when its URL cannot be sent.
    func begin(_ message: LoadMessage, startedNs: UInt64, deadlineNs: UInt64) -> Bool {
        (token, self.startedNs, self.deadlineNs) = (message.token, startedNs, deadlineNs)
        (failure, opened, servedBy, needsFreshConnection) = (nil, nil, nil, false)
        (timesSent, headerBytes, headerFields, bodyBytes) = (0, 0, 0, 0)
        body.removeAll(keepingCapacity: true)
        maySendAgain = form.maySendAgain || message.headers.contains(where: RequestHeaders.isIdempotencyKey)
        if demandsFreshConnection { demandFreshConnection(false) }
        guard setURL(message.url) else { return false }
        setHeaders(message.headers)
        if form.sendsBody { send(message.body ?? form.form.body ?? []) }
        return true
    }

    private func setURL(_ own: String?) -> Bool {
        let url = own ?? form.form.url
        guard own == nil ? form.isURLValid : RequestURL.isValid(url) else { return false }
        if own != nil || hasOwnURL { easy.set(url: url) }
        hasOwnURL = own != nil
        isPlain = url.hasPrefix("http://")
        return true
    }

    /// The request's own lines, followed by those of the form, which stay in one place.
    private func setHeaders(_ fields: [HTTPField]) {
        guard !fields.isEmpty || ownHeaders != nil else { return }
        freeOwnHeaders()
        for field in fields where !RequestHeaders.ownedByClient.contains(field.name) {
            ownHeaders = curl_slist_append(ownHeaders, RequestHeaders.line(field))
        }
        lastOwnHeader?.pointee.next = form.headers.list
        easy.setHeaders(ownHeaders ?? form.headers.list)
    }

    private func freeOwnHeaders() {
        lastOwnHeader?.pointee.next = nil
        curl_slist_free_all(ownHeaders)
        ownHeaders = nil
    }

    private var lastOwnHeader: UnsafeMutablePointer<curl_slist>? {
        var last = ownHeaders
        while let next = last?.pointee.next, next != form.headers.list { last = next }
        return last
    }

    /// libcurl does not copy the bytes: they stay where they are until the next request.
    private func send(_ bytes: [UInt8]) {
        if sent.count < bytes.count {
            sent.deallocate()
            sent = .allocate(capacity: bytes.count)
        }
        if !bytes.isEmpty { _ = sent.update(fromContentsOf: bytes) }
        easy.set(body: UnsafeBufferPointer(rebasing: sent[..<bytes.count]))
    }

    func demandFreshConnection(_ isDemanded: Bool = true) {
        needsFreshConnection = false
        demandsFreshConnection = isDemanded
        easy.demandFreshConnection(isDemanded)
    }

    // MARK: While it runs

    func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        let isStatus = line.starts(with: "HTTP/".utf8)
        let isEnd = line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n")
        if !isStatus, !isEnd {
            headerFields += 1
            guard line.contains(UInt8(ascii: ":")) else { return refuse(.malformedResponse) }
            if let name = names.name(in: line) { servedBy = name }
        }
        guard headerBytes <= limits.maxHeaderBytes, headerFields <= limits.maxHeaderFields else {
            return refuse(.malformedResponse)
        }
        return true
    }

    func receive(bodyPart part: UnsafeRawBufferPointer) -> Bool {
        bodyBytes += part.count
        guard bodyBytes <= Self.maxBodyBytes else { return refuse(.responseTooLarge(limit: Self.maxBodyBytes)) }
        if form.form.keepsAnswer { body.append(contentsOf: part) }
        return true
    }

    private func refuse(_ error: HTTPClientError) -> Bool {
        failure = error
        return false
    }

    /// Called when a connection is ready and nothing has been sent on it; see ``Transfer/willSend(on:)``.
    func willSend(on connection: PooledSockets.Connection) -> Bool {
        if !easy.usesPooledConnection {
            opened = connection
        } else if isPlain, !pool.isClean(connection) {
            needsFreshConnection = true
            return false
        }
        timesSent += 1
        return timesSent == 1 || maySendAgain
    }

    // MARK: After

    /// To be asked while libcurl still knows about the connection.
    func outcome(_ code: CURLcode) -> LoadEnd.Outcome {
        guard code == CURLE_OK else {
            return .failed(failure ?? HTTPClientError(code, systemError: easy.systemError))
        }
        if let opened, let socket = easy.pooledSocket { pool.add(socket, opened) }
        return .status(easy.status)
    }
}

/// The few names by which the answerers of a load call themselves, each kept once.
final class AnswererNames {
    private var known: [(bytes: [UInt8], text: String)] = []

    private static let field = Array("x-served-by:".utf8)
    /// A system has some tens of replicas; what names itself anew every time is no name.
    private static let maxNames = 256
    private static let maxNameBytes = 255

    /// The value of an `X-Served-By` line; nil of any other, and of one that is no name.
    func name(in line: UnsafeRawBufferPointer) -> String? {
        // The first letter alone spares the rest for nearly all lines.
        guard line.count > Self.field.count, line[0] | 0x20 == Self.field[0],
            zip(line, Self.field).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 })
        else { return nil }
        var value = UnsafeRawBufferPointer(rebasing: line[Self.field.count...])
        while let first = value.first, first <= 0x20 { value = UnsafeRawBufferPointer(rebasing: value.dropFirst()) }
        while let last = value.last, last <= 0x20 { value = UnsafeRawBufferPointer(rebasing: value.dropLast()) }
        if let name = known.first(where: { $0.bytes.elementsEqual(value) }) { return name.text }
        guard (1...Self.maxNameBytes).contains(value.count), known.count < Self.maxNames else { return nil }
        let text = String(decoding: value, as: UTF8.self)
        known.append((Array(value), text))
        return text
    }
}
