import HTTPTypes
import Hummingbird
import Sandbox
import Shared

/// Whose requests the runner takes.
///
/// It has no log-in: whoever reaches it may break things. What must not is a web page of somebody else's that is open in
/// the browser of whoever reaches it. Browsers say where a request comes from (`Sec-Fetch-Site`, Fetch Metadata; `Origin`,
/// RFC 6454), and other clients say nothing:
///
/// ```
///   any request              --> asked for by a name that is not the runner's?  421   (DNS rebinding)
///   that may change something --> from another origin?                           403   (cross-site request forgery)
/// ```
struct CallerRule: Sendable, Equatable {
    /// The hosts by which the runner is asked for, as `Host` has them but in lower case and without ports; nil where
    /// nobody can know them, as in a cluster.
    var hosts: Set<String>?

    /// Where the runner listens on loopback; the lab's own services ask inside it.
    static let thisMachine = CallerRule(hosts: [
        "localhost", "127.0.0.1", "[::1]", LabTopology.routerAddress, LabTopology.runnerName,
    ])

    /// Methods that change nothing (RFC 9110, 9.2.1).
    private static let safeMethods: Set<HTTPRequest.Method> = [.get, .head, .options]

    /// What a browser says of its own page, and of an address that somebody typed.
    private static let ownSites: Set<String> = ["same-origin", "none"]

    /// - Throws: ``Problem`` 421 or 403.
    func check(_ request: Request) throws {
        let refusal = refusal(
            method: request.method, host: request.head.authority, origin: request.headers[.origin],
            site: request.headers[.secFetchSite])
        if let refusal { throw refusal }
    }

    /// - Parameters:
    ///   - host: with its port, where it has one.
    ///   - site: of `Sec-Fetch-Site`.
    func refusal(method: HTTPRequest.Method, host: String?, origin: String?, site: String?) -> Problem? {
        let host = host?.lowercased()
        if let hosts, let host, !hosts.contains(Self.name(of: host)) {
            return Problem(
                .misdirectedRequest,
                "This runner is asked for as localhost or 127.0.0.1; from another machine, forward its port to yours.")
        }
        guard !Self.safeMethods.contains(method) else { return nil }
        let isOwnSite = site.map(Self.ownSites.contains) ?? true
        let isOwnOrigin = origin.map { host != nil && Self.authority(of: $0) == host } ?? true
        guard !isOwnSite || !isOwnOrigin else { return nil }
        return Problem(
            .forbidden,
            "A page of another origin may not do this; use the runner's own page, its command line, or curl.")
    }

    /// Without its port; an IPv6 address keeps its brackets.
    private static func name(of host: String) -> String {
        if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }) + "]" }
        return String(host.prefix { $0 != ":" })
    }

    /// `http://localhost:8000` is of `localhost:8000`; nil for `null`, the origin of a sandboxed frame.
    private static func authority(of origin: String) -> String? {
        guard let mark = origin.firstRange(of: "://") else { return nil }
        return origin[mark.upperBound...].lowercased()
    }
}

extension HTTPField.Name {
    fileprivate static let secFetchSite: HTTPField.Name = {
        guard let name = HTTPField.Name("Sec-Fetch-Site") else { preconditionFailure("that is a field name") }
        return name
    }()
}
