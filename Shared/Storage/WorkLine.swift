import DequeModule

/// A bounded line of jobs and the servers that work it off: who may join, when a server is needed, who has waited too
/// long. Pure; ``WorkQueue`` gives it a lock and a clock.
///
/// ```
///   join ---> [ job job job ] ---> take (up to n, by a server)
///               |         |
///             leave     expire
/// ```
struct WorkLine<Job> {
    enum Admission: Equatable {
        /// The job waits under `ticket`; with `needsServer` the caller starts a server.
        case admitted(ticket: UInt64, needsServer: Bool)
        case full
        case closed
    }

    /// What a server does next.
    enum Step: Equatable {
        /// Jobs wait: take some.
        case work
        /// Nothing waits: this server has ended; ``join(_:until:)`` says when one is needed again.
        case rest
        /// The line is closed and empty and this was its last server.
        case finish
    }

    private struct Entry {
        let ticket: UInt64
        let deadline: ContinuousClock.Instant
        let job: Job
    }

    private let capacity: Int
    private let maximumServers: Int
    private var entries: Deque<Entry> = []
    private var servers = 0
    private var lastTicket: UInt64 = 0
    private var isClosed = false

    init(capacity: Int, maximumServers: Int) {
        self.capacity = capacity
        self.maximumServers = maximumServers
    }

    var count: Int { entries.count }

    /// When the job at the head has waited too long.
    var nextDeadline: ContinuousClock.Instant? { entries.first?.deadline }

    /// Adds a job. Deadlines must not go backwards from one call to the next.
    mutating func join(_ job: Job, until deadline: ContinuousClock.Instant) -> Admission {
        guard !isClosed else { return .closed }
        guard entries.count < capacity else { return .full }
        lastTicket += 1
        entries.append(Entry(ticket: lastTicket, deadline: deadline, job: job))
        let needsServer = servers < maximumServers
        if needsServer { servers += 1 }
        return .admitted(ticket: lastTicket, needsServer: needsServer)
    }

    /// Removes a job that has not been taken; nil when it has.
    mutating func leave(_ ticket: UInt64) -> Job? {
        guard let index = entries.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return entries.remove(at: index).job
    }

    /// Removes the jobs that have waited too long.
    mutating func expire(at now: ContinuousClock.Instant) -> [Job] {
        var late: [Job] = []
        while let head = entries.first, head.deadline <= now {
            late.append(head.job)
            entries.removeFirst()
        }
        return late
    }

    /// Asked by a server before each round. After `rest` and `finish` it is no longer a server.
    mutating func step() -> Step {
        guard entries.isEmpty else { return .work }
        servers -= 1
        return isClosed && servers == 0 ? .finish : .rest
    }

    /// Removes the jobs that have waited longest.
    mutating func take(upTo count: Int) -> [Job] {
        let taken = entries.prefix(count).map(\.job)
        entries.removeFirst(taken.count)
        return taken
    }

    /// Admits no more jobs. True when the caller starts a server, which then finishes.
    mutating func close() -> Bool {
        guard !isClosed else { return false }
        isClosed = true
        guard servers == 0 else { return false }
        servers = 1
        return true
    }
}
