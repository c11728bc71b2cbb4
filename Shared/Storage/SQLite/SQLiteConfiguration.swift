/// The limits of a ``SQLiteDatabase``.
public struct SQLiteConfiguration: Sendable {
    /// Connections for reading, so reads at the same time. More than processors gains nothing.
    public var readers = 3
    /// Writes that share one transaction at most. It bounds how long the other replicas wait for their turn.
    public var maximumBatch = 256
    /// Writes, and apart from them reads, that wait at most; one more is ``StoreError/busy`` at once.
    public var maximumWaiting = 4096
    /// How long a call waits until its body starts, everything included: the line, the turn among the replicas,
    /// SQLite's own lock. Then it is ``StoreError/busy``.
    public var waitTimeout: Duration = .seconds(5)
    /// How long one `BEGIN` waits for a program that takes no turns (the sqlite3 shell, a backup).
    public var busyTimeout: Duration = .seconds(1)
    /// How long opening may wait for other replicas that migrate the same file.
    public var openTimeout: Duration = .seconds(30)
    /// How long ``Database/close()`` waits for what is under way.
    public var closeTimeout: Duration = .seconds(10)
    /// The write-ahead log is cut down to this size in bytes after a checkpoint.
    public var journalSizeLimitBytes = 64 * 1024 * 1024

    public init() {}
}
