import Foundation
import Shared

/// An answer as it stood on the wire.
public struct WireResponse: Sendable {
    public let status: Int
    /// By lower-case name.
    public let headers: [String: String]
    /// Everything after the head, also where nothing may stand there.
    public let body: Data

    public struct Malformed: Error {
        public let text: String
    }

    public init(_ bytes: Data) throws {
        guard let end = bytes.range(of: Data("\r\n\r\n".utf8)) else {
            throw Malformed(text: String(decoding: bytes, as: UTF8.self))
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw Malformed(text: lines.joined(separator: "\n"))
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Malformed(text: line) }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        self.status = status
        self.headers = headers
        body = Data(bytes[end.upperBound...])
    }

    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    public func json() throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: body) }
}
