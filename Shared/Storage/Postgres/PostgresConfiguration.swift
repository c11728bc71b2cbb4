#if Postgres
/// The limits of a ``PostgresDatabase``.
public struct PostgresConfiguration: Sendable {
    /// Connections, so transactions at the same time, of one process to one store. The server's `max_connections`, 100
    /// by default, is shared by all replicas of all services.
    public var connections = 8
    /// Calls that wait at most; one more is ``StoreError/busy`` at once.
    public var maximumWaiting = 4096
    /// How long a call waits until its body starts, everything included: the line, and a server that is away. Then it
    /// is ``StoreError/busy``.
    public var waitTimeout: Duration = .seconds(5)
    /// How long a transaction may take from its first statement on, repetitions included. Then it is cancelled, undone
    /// and ``StoreError/busy``.
    public var transactionTimeout: Duration = .seconds(10)
    /// How long a replica that stands still inside a transaction keeps its row locks: then the server ends it.
    public var stillstandTimeout: Duration = .seconds(5)
    /// One attempt to connect.
    public var connectTimeout: Duration = .seconds(3)
    /// How long the server may take to say that it has cancelled a statement, before its connection is dropped.
    public var cancelTimeout: Duration = .seconds(1)
    /// How long opening waits for a server that is not there yet.
    public var reachTimeout: Duration = .seconds(5)
    /// All of opening, the wait for other replicas that migrate the same schema included.
    public var openTimeout: Duration = .seconds(30)
    /// How long ``Database/close()`` waits for what is under way.
    public var closeTimeout: Duration = .seconds(10)
    /// When a transaction that met another one is tried again: soon, for the other one has ended by then.
    var retries = RetryPolicy(
        maxAttempts: 50, attemptTimeout: .zero, firstDelay: .milliseconds(5), longestDelay: .milliseconds(500))

    public init() {}
}
#endif
