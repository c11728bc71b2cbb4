extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var wholeNs: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }

    var inSeconds: Double { Double(wholeNs) / 1e9 }
}
