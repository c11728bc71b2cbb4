import HTTPTypes
import Hummingbird

/// One endpoint. A service's list of routes is the one home of its paths: the router, the list at `/`, the answer to
/// a wrong method, and the check of its OpenAPI document are all made from it.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Request, AppContext) async throws -> Response

    public let method: HTTPRequest.Method
    /// A template with names in braces: `/payment/status/{id}`.
    public let path: String
    public let handler: Handler

    public init(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.handler = handler
    }

    public static func get(_ path: String, _ handler: @escaping Handler) -> Route { Route(.get, path, handler) }
    public static func post(_ path: String, _ handler: @escaping Handler) -> Route { Route(.post, path, handler) }
    public static func put(_ path: String, _ handler: @escaping Handler) -> Route { Route(.put, path, handler) }
}

extension Router<AppContext> {
    func add(_ routes: [Route]) {
        for route in routes { on(RouterPath(route.path), method: route.method, use: route.handler) }
    }
}

/// What each path takes, for the refusal of every other method: 405 with `Allow` (RFC 9110, 15.5.6).
struct AllowedMethods: Sendable {
    private struct Entry {
        let template: String
        let segments: [Substring]
        /// The value of `Allow`.
        let allow: String
    }
    private let entries: [Entry]

    init(_ routes: [Route]) {
        entries = Dictionary(grouping: routes, by: \.path).map { path, routes in
            let methods = Set(routes.map(\.method.rawValue))
            let all = methods.contains("GET") ? methods.union(["HEAD"]) : methods
            return Entry(
                template: path, segments: path.split(separator: "/"), allow: all.sorted().joined(separator: ", "))
        }
    }

    /// The template that the path fits and what may be done there, or nil when there is nothing.
    func find(path: String) -> (template: String, allow: String)? {
        let path = path.split(separator: "/")
        let found = entries.first { entry in
            entry.segments.count == path.count
                && zip(entry.segments, path).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        return found.map { ($0.template, $0.allow) }
    }
}
