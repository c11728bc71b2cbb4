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

    /// The methods of RFC 9110 and PATCH: on a known path they are 405, any other is 501.
    static let knownMethods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
    ]

    public static func get(_ path: String, _ handler: @escaping Handler) -> Route { Route(.get, path, handler) }
    public static func post(_ path: String, _ handler: @escaping Handler) -> Route { Route(.post, path, handler) }
    public static func put(_ path: String, _ handler: @escaping Handler) -> Route { Route(.put, path, handler) }
}

extension Router<AppContext> {
    /// Adds the routes, and for each path the refusal of every other method: 405 with `Allow` (RFC 9110, 15.5.6).
    func add(_ routes: [Route]) {
        for route in routes { on(RouterPath(route.path), method: route.method, use: route.handler) }
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            let methods = Set(routes.map(\.method))
            let allowed = methods.contains(.get) ? methods.union([.head]) : methods
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in Route.knownMethods.subtracting(allowed) {
                on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem(
                        .methodNotAllowed, "This path takes \(allow).", headers: [.allow: allow])
                }
            }
        }
    }
}
