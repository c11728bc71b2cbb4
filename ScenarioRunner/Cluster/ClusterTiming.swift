/// How long things in the cluster may take. Every wait ends by one of these.
public struct ClusterTiming: Sendable {
    /// One request, from the call to the last byte, its repetitions included.
    public var request = Duration.seconds(10)
    /// From the creation of an object until Chaos Mesh has injected it everywhere.
    public var injection = Duration.seconds(30)
    /// From the deletion of an object until it is gone.
    public var removal = Duration.seconds(30)
    /// The same once its finalizers were given up by force.
    public var forcedRemoval = Duration.seconds(10)
    /// A watch on which nothing has come for that long is broken. Bookmarks come about once a minute.
    public var watchSilence = Duration.seconds(90)
    /// How long an object of a runner that has died stays: its lease, renewed by ``LeaseSweep`` while it lives.
    public var lease = Duration.seconds(180)
    /// Between two rounds of ``LeaseSweep``.
    public var sweep = Duration.seconds(60)
    /// What an object lasts beyond what it was wanted for, for its injection and removal.
    public var margin = Duration.seconds(60)
    /// What an object lasts when nobody says for how long it is wanted.
    public var longestFault = Duration.seconds(15 * 60)

    /// Before what has failed is tried again: twice as long each time, up to ``longestRetry``.
    public var firstRetry = Duration.milliseconds(250)
    public var longestRetry = Duration.seconds(15)

    public init() {}
}
