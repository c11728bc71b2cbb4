import Foundation
import Hummingbird

/// What a handler gets beside the request.
public struct AppContext: RequestContext {
    public var coreContext: CoreRequestContextStorage

    public init(source: Source) { coreContext = .init(source: source) }

    /// The most bytes of a request's body, for all four servers.
    public static let maxBodyBytes = 64 * 1024
    public var maxUploadSize: Int { Self.maxBodyBytes }

    /// A parameter of the path, percent-decoded.
    ///
    /// - Throws: ``Problem`` 404 when it cannot be an id; see ``possibleID(_:)``.
    public func pathParameter(_ name: String) throws -> String {
        guard let value = possibleID(name) else { throw Problem.notFound("There is no such \(name).") }
        return value
    }

    /// A parameter of the path, percent-decoded, or nil when it cannot be an id: those have 1 to 64 code points
    /// (one grapheme may be kilobytes of combining marks), no control characters (no store takes a NUL) and no card
    /// number (some stores keep what they do not know yet).
    public func possibleID(_ name: String) -> String? {
        guard let value = parameters.get(name)?.removingPercentEncoding else { return nil }
        guard (1...64).contains(value.unicodeScalars.count), !value.hasControlCharacters() else { return nil }
        return CardNumbers.areIn(value) ? nil : value
    }

    /// A parameter of the path as the client wrote it, but for card numbers: for an answer that names what was asked for.
    public func rawPathParameter(_ name: String) -> String { CardNumbers.masked(path: parameters.get(name) ?? "") }
}
