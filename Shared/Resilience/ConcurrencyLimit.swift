/// How many requests a server works on at a time, found out from how long they take; what comes beyond is refused at
/// once instead of answered late.
///
/// By Little's law the requests in a server are its throughput times their latency. Once it is busy, more of them add
/// latency and no throughput, so latency that grows against what is usual says that the limit is too high:
///
/// ```
///   gradient = tolerance * usual latency / latency        kept within 0.5 ... 1
///   limit   <- 0.8 * limit + 0.2 * (gradient * limit + room)        only while the limit is being used
/// ```
///
/// This is the gradient of Netflix's `concurrency-limits` (`Gradient2Limit`: tolerance 1.5, smoothing 0.2), with two
/// differences. Every route has a usual latency of its own, so that a mix of quick reads and slow writes is no growth.
/// And what is usual follows slowly upwards and quickly downwards: what an overload makes of latency must not become
/// usual while it lasts.
public struct ConcurrencyLimit: Sendable {
    public static let smallest = 8
    public static let largest = 512
    static let initial = 32.0
    static let tolerance = 1.5
    static let smoothing = 0.2
    /// Requests over which the usual latency grows, and falls.
    static let growth = 6000.0
    static let fall = 60.0
    /// Requests beyond what the gradient finds, so that the limit can grow and a burst finds some room.
    static let room = 4.0
    /// Routes with a usual latency of their own.
    static let maxRoutes = 64

    private var limit = Self.initial
    public private(set) var inFlight = 0
    /// In seconds.
    private var usual: [String: Double] = [:]

    public init() {}

    public var current: Int { Int(limit) }

    /// - Returns: whether the request is worked on; then ``leave(route:latency:)`` follows.
    public mutating func enter() -> Bool {
        guard inFlight < current else { return false }
        inFlight += 1
        return true
    }

    /// - Parameter latency: nil where it says nothing of the server's work: the request was refused further in, or its
    ///   caller has gone.
    public mutating func leave(route: String, latency: Duration?) {
        defer { inFlight -= 1 }
        guard let latency else { return }
        let short = max(latency.seconds, 1e-6)
        guard usual[route] != nil || usual.count < Self.maxRoutes else { return }
        var long = usual[route] ?? short
        // One answer that took very long counts as one of twice the usual.
        long += short > long ? min(short - long, long) / Self.growth : (short - long) / Self.fall
        usual[route] = long
        // A limit that nobody comes near is neither confirmed nor refuted.
        guard Double(inFlight) >= limit / 2 else { return }
        let gradient = max(0.5, min(1, Self.tolerance * long / short))
        let wanted = gradient * limit + Self.room
        limit += Self.smoothing * (wanted - limit)
        limit = max(Double(Self.smallest), min(Double(Self.largest), limit))
    }
}
