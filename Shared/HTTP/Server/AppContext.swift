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
    /// - Throws: ``Problem`` 404 when it is empty or longer than any id can be.
    public func pathParameter(_ name: String) throws -> String {
        guard let value = parameters.get(name)?.removingPercentEncoding, !value.isEmpty, value.count <= 64 else {
            throw Problem.notFound("There is no such \(name).")
        }
        return value
    }
}
