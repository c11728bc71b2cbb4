import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// The page's files, read and compressed once at start-up: a few dozen kilobytes that never change while the process
/// runs.
struct StaticFiles: Sendable {
    /// The page loads nothing from elsewhere and runs no inline script. It shows reports of its own origin in frames.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// What is sent of a file: its bytes, or the same compressed. They differ, and so do their tags.
    private struct Form: Sendable {
        let bytes: ByteBuffer
        let etag: String
    }
    private struct File: Sendable {
        let contentType: String
        let plain: Form
        /// Nil where compressing does not pay.
        let gzip: Form?
    }
    private let files: [String: File]

    /// A file that would become shorter by less is sent as it is.
    private static let worthwhileBytes = 512

    /// - Parameter folder: every regular file below it is served under its path.
    /// - Throws: when the folder or a file cannot be read.
    init(folder: URL) throws {
        var files: [String: File] = [:]
        let root = folder.resolvingSymlinksInPath().path + "/"
        let enumerator = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        while let url = enumerator?.nextObject() as? URL {
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            let path = url.resolvingSymlinksInPath().path.dropFirst(root.count)
            files["/\(path)"] = Self.file(try Data(contentsOf: url), Self.contentType(of: url.pathExtension))
        }
        guard files["/index.html"] != nil else {
            throw SettingsError(messages: ["the page's files are not in \(folder.path): build again"])
        }
        self.files = files
    }

    private static func file(_ data: Data, _ contentType: String) -> File {
        let hash = data.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        let tag = String(hash, radix: 16)
        let compressed = Gzip.compress(Array(data)).flatMap { $0.count + worthwhileBytes <= data.count ? $0 : nil }
        return File(
            contentType: contentType, plain: Form(bytes: ByteBuffer(bytes: data), etag: "\"\(tag)\""),
            gzip: compressed.map { Form(bytes: ByteBuffer(bytes: $0), etag: "\"\(tag)-gzip\"") })
    }

    /// The page at its three addresses, and every file under its own.
    var routes: [Route] {
        let pages = ["/", "/scenario-runner", "/scenario-runner/home"].map { ($0, "/index.html") }
        return (pages + files.keys.sorted().map { ($0, $0) }).map { path, file in
            .get(path) { request, _ in try answer(file, request) }
        }
    }

    private func answer(_ path: String, _ request: Request) throws -> Response {
        guard let file = files[path] else { throw Problem.notFound("There is no such file.") }
        let gzip = AcceptEncoding(request.headers[.acceptEncoding]).prefersGzip ? file.gzip : nil
        let form = gzip ?? file.plain
        var headers: HTTPFields = [
            .contentType: file.contentType, .eTag: form.etag, .cacheControl: "no-cache",
            .contentSecurityPolicy: Self.contentSecurityPolicy,
        ]
        // Also with the bare file, or a cache would give it to those who take less.
        if file.gzip != nil { headers[.vary] = "Accept-Encoding" }
        if Self.matches(request.headers[.ifNoneMatch], form.etag) {
            return Response(status: .notModified, headers: headers)
        }
        if gzip != nil { headers[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: form.bytes))
    }

    /// `If-None-Match` is `*` or a list, compared weakly (RFC 9110, 13.1.2): proxies that compress mark tags as weak.
    private static func matches(_ header: String?, _ etag: String) -> Bool {
        guard let header else { return false }
        let tags = header.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        return tags.contains { $0 == "*" || $0 == etag || $0 == "W/\(etag)" }
    }

    private static func contentType(of pathExtension: String) -> String {
        switch pathExtension {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "json": "application/json; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
