/// The limits and habits of an ``HTTPClient``. Counts below one are taken as one.
public struct HTTPClientConfiguration: Sendable {
    /// Connections to one host and port. More requests wait for one of them, within their deadlines.
    public let maxConnectionsPerHost: Int
    /// Connections altogether, busy and idle.
    public let maxTotalConnections: Int
    /// Requests handed to libcurl at a time. More wait their turn, within their deadlines.
    public let maxInFlight: Int
    /// How long one attempt to connect may take; the request's own timeout shortens it.
    public let connectTimeout: Duration
    /// How long the addresses of a name are remembered, in whole seconds.
    public let nameCacheTime: Duration
    /// A connection idle for longer is not used again, in whole seconds. It should be less than the servers' own
    /// idle timeout: then a request does not meet a connection that the server is just closing.
    public let maxIdleTime: Duration
    /// The bytes of all header lines of an answer, interim answers and trailers included.
    public let maxHeaderBytes: Int
    public let maxHeaderFields: Int
    public let userAgent: String

    public init(
        maxConnectionsPerHost: Int = 256, maxTotalConnections: Int = 1024, maxInFlight: Int = 4096,
        connectTimeout: Duration = .seconds(5), nameCacheTime: Duration = .seconds(30),
        maxIdleTime: Duration = .seconds(15), maxHeaderBytes: Int = 64 * 1024, maxHeaderFields: Int = 200,
        userAgent: String = "payment-chaos/1.0"
    ) {
        self.maxConnectionsPerHost = max(1, maxConnectionsPerHost)
        self.maxTotalConnections = max(1, maxTotalConnections)
        self.maxInFlight = max(1, maxInFlight)
        self.connectTimeout = connectTimeout
        self.nameCacheTime = nameCacheTime
        self.maxIdleTime = maxIdleTime
        self.maxHeaderBytes = max(1, maxHeaderBytes)
        self.maxHeaderFields = max(1, maxHeaderFields)
        self.userAgent = userAgent
    }
}
