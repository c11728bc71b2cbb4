/// What the load generator says of its own work: whether the load was what it claims to be, and what it cost.
public struct LoadFacts: Codable, Sendable, Equatable {
    /// `open` or `closed`.
    public var model: String
    /// `constant` or `poisson`.
    public var arrivals: String
    /// Requests a second that were asked for.
    public var rateRps: Double
    /// Requests that were sent.
    public var sent: Int
    /// Those of them that were sent more than 1 ms after they were due.
    public var lateSends: Int
    /// Requests that were due and never sent, for too many were under way.
    public var dropped: Int
    /// Microseconds of processor time that the generator spent on a request; nil where nobody measured it.
    public var cpuUsPerRequest: Double?

    public init(
        model: String, arrivals: String, rateRps: Double, sent: Int, lateSends: Int, dropped: Int,
        cpuUsPerRequest: Double? = nil
    ) {
        self.model = model
        self.arrivals = arrivals
        self.rateRps = rateRps
        self.sent = sent
        self.lateSends = lateSends
        self.dropped = dropped
        self.cpuUsPerRequest = cpuUsPerRequest
    }

    enum CodingKeys: String, CodingKey {
        case model, arrivals, sent, dropped
        case rateRps = "rate_rps"
        case lateSends = "late_sends"
        case cpuUsPerRequest = "cpu_us_per_request"
    }
}
