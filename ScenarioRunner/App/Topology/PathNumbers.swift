import Shared

/// How one path of the system does now. What is not known is nil, and written as null.
struct PathNumbers: Encodable, Sendable, Equatable {
    /// Where it was measured.
    enum Witness: String, Encodable, Sendable {
        /// Where the request was sent: what was lost on the way, or took too long, is in it.
        case caller
        /// Where the request arrived: only what was answered there.
        case callee
    }

    /// Requests a second, to a tenth.
    let rateRps: Double?
    /// 0 to 1, to a ten-thousandth; nil without requests.
    let successRate: Double?
    /// To a tenth of a millisecond; nil without requests.
    let p95Ms: Double?
    let seenBy: Witness?

    static let unknown = PathNumbers(rateRps: nil, successRate: nil, p95Ms: nil, seenBy: nil)

    /// Rounded, so that noise in the last digit is no news for the pages.
    init(rateRps: Double?, successRate: Double?, p95Ms: Double?, seenBy: Witness?) {
        func rounded(_ number: Double?, _ parts: Double) -> Double? { number.map { ($0 * parts).rounded() / parts } }
        self.rateRps = rounded(rateRps, 10)
        self.successRate = rounded(successRate, 10_000)
        self.p95Ms = rounded(p95Ms, 10)
        self.seenBy = seenBy
    }

    enum CodingKeys: String, CodingKey {
        case rateRps = "rate_rps"
        case successRate = "success_rate"
        case p95Ms = "p95_ms"
        case seenBy = "seen_by"
    }

    /// Written out for its nulls.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rateRps, forKey: .rateRps)
        try container.encode(successRate, forKey: .successRate)
        try container.encode(p95Ms, forKey: .p95Ms)
        try container.encode(seenBy, forKey: .seenBy)
    }
}
