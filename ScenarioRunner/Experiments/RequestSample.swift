import Shared

/// One request of the load, as measured: what the load generator hands to whoever judges the run.
///
/// Coded in short for JSON lines, one object a line; times are absolute nanoseconds of `CLOCK_MONOTONIC`, so that a
/// generator in another process of the same machine and its reader agree on them.
public struct RequestSample: Codable, Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// An answer, of whatever status.
        case status(Int)
        /// No whole answer within the request's total deadline.
        case timedOut
        /// Refused, reset, or broken off.
        case connectionFailed
        /// Never sent: too many requests were under way already.
        case dropped
    }

    /// The payment that a request asked for: its names, to find it in the books afterwards, and what was to be paid.
    public struct Payment: Codable, Sendable, Equatable {
        public let idempotencyKey: String?
        /// As the answer or the problem names it; nil where there was none.
        public let paymentID: String?
        /// Nil where the request named no amount that can be paid.
        public let amount: Money?

        /// Longer names are no names: keys end at 255 characters and ids are shorter still.
        public static let maximumBytes = 1024

        /// Names that are too long are left out.
        public init(idempotencyKey: String?, paymentID: String?, amount: Money? = nil) {
            func bounded(_ name: String?) -> String? { name.flatMap { $0.utf8.count <= Self.maximumBytes ? $0 : nil } }
            self.idempotencyKey = bounded(idempotencyKey)
            self.paymentID = bounded(paymentID)
            self.amount = amount
        }
    }

    /// Later than this is a late send.
    public static let lateSendNs: UInt64 = 1_000_000

    /// The template's name: `chain`, `process`.
    public let endpoint: String
    /// When the request was due.
    public let intendedNs: UInt64
    /// How much later it was really sent; 0 when it was dropped.
    public let sendDelayNs: UInt64
    /// From the intended time to the end of the answer, or to the failure: what a user would have waited.
    public let latencyNs: UInt64
    public let outcome: Outcome
    /// Nil for a request that pays nothing.
    public let payment: Payment?
    /// The replica that answered, as `X-Served-By` names it; nil where no answer came or none was named.
    public let replica: String?
    /// Whether the answer is what the load's profile expects; nil where it expects nothing in particular.
    public let isExpected: Bool?

    public init(
        endpoint: String, intendedNs: UInt64, sendDelayNs: UInt64, latencyNs: UInt64, outcome: Outcome,
        payment: Payment? = nil, replica: String? = nil, isExpected: Bool? = nil
    ) {
        self.endpoint = endpoint
        self.intendedNs = intendedNs
        self.sendDelayNs = sendDelayNs
        self.latencyNs = latencyNs
        self.outcome = outcome
        self.payment = payment
        self.replica = replica
        self.isExpected = isExpected
    }

    /// The user got what was asked for, or a decision of the bank: a declined card is an answer, not a failure.
    public var isSuccess: Bool {
        guard case .status(let status) = outcome else { return false }
        if let isExpected { return isExpected }
        return (200..<300).contains(status) || isDeclined
    }

    /// 402.
    public var isDeclined: Bool { outcome == .status(402) }

    public var isLateSend: Bool { sendDelayNs > Self.lateSendNs }
}

extension RequestSample.Payment {
    private enum CodingKeys: String, CodingKey {
        case idempotencyKey = "k"
        case paymentID = "p"
        case minorUnits = "a"
        case currency = "c"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let code = try container.decodeIfPresent(String.self, forKey: .currency)
        let amount: Money? =
            if let currency = code.flatMap(Currency.init(code:)) {
                Money(minorUnits: try container.decode(Int64.self, forKey: .minorUnits), currency: currency)
            } else { nil }
        self.init(
            idempotencyKey: try container.decodeIfPresent(String.self, forKey: .idempotencyKey),
            paymentID: try container.decodeIfPresent(String.self, forKey: .paymentID), amount: amount)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(idempotencyKey, forKey: .idempotencyKey)
        try container.encodeIfPresent(paymentID, forKey: .paymentID)
        try container.encodeIfPresent(amount?.minorUnits, forKey: .minorUnits)
        try container.encodeIfPresent(amount?.currency.code, forKey: .currency)
    }
}

extension RequestSample {
    private enum CodingKeys: String, CodingKey {
        case endpoint = "e"
        case intendedNs = "i"
        case sendDelayNs = "d"
        case latencyNs = "l"
        case status = "s"
        case failure = "f"
        case payment = "p"
        case replica = "r"
        case isExpected = "x"
    }

    private enum Failure: String, Codable {
        case timedOut = "timed_out"
        case connectionFailed = "connection_failed"
        case dropped
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        endpoint = try container.decode(String.self, forKey: .endpoint)
        intendedNs = try container.decode(UInt64.self, forKey: .intendedNs)
        sendDelayNs = try container.decode(UInt64.self, forKey: .sendDelayNs)
        latencyNs = try container.decode(UInt64.self, forKey: .latencyNs)
        payment = try container.decodeIfPresent(Payment.self, forKey: .payment)
        replica = try container.decodeIfPresent(String.self, forKey: .replica)
        isExpected = try container.decodeIfPresent(Bool.self, forKey: .isExpected)
        switch try container.decodeIfPresent(Failure.self, forKey: .failure) {
        case .timedOut: outcome = .timedOut
        case .connectionFailed: outcome = .connectionFailed
        case .dropped: outcome = .dropped
        case nil: outcome = .status(try container.decode(Int.self, forKey: .status))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(endpoint, forKey: .endpoint)
        try container.encode(intendedNs, forKey: .intendedNs)
        try container.encode(sendDelayNs, forKey: .sendDelayNs)
        try container.encode(latencyNs, forKey: .latencyNs)
        try container.encodeIfPresent(payment, forKey: .payment)
        try container.encodeIfPresent(replica, forKey: .replica)
        try container.encodeIfPresent(isExpected, forKey: .isExpected)
        switch outcome {
        case .status(let status): try container.encode(status, forKey: .status)
        case .timedOut: try container.encode(Failure.timedOut, forKey: .failure)
        case .connectionFailed: try container.encode(Failure.connectionFailed, forKey: .failure)
        case .dropped: try container.encode(Failure.dropped, forKey: .failure)
        }
    }
}
