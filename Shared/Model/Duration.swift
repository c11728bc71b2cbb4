extension Duration {
    /// Whole nanoseconds, rounded towards zero.
    public var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

    /// Milliseconds with three decimals, for answers and logs.
    public var milliseconds: Double { Double(nanoseconds / 1000) / 1000 }

    /// Seconds with fractions.
    public var seconds: Double { Double(nanoseconds) / 1_000_000_000 }
}
