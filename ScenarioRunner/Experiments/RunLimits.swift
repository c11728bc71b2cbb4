/// What every run keeps to, whoever asks for it: the API, a manifest, a suite.
public enum RunLimits {
    /// Requests a second.
    public static let rates = 1...2000
    /// Of one run: its samples are kept in memory until the journal is written, and that many are what three runs at a
    /// time may have in the runner's pod (`docs/scale.md`).
    public static let requests = 500_000
    /// The shortest of any phase.
    public static let shortest = Duration.seconds(1)
    /// The longest baseline and the longest recovery.
    public static let longestPhase = Duration.seconds(10 * 60)
    /// No fault lasts longer, whatever its manifest says.
    public static let longestFault = Duration.seconds(15 * 60)
}
