import DequeModule

/// When the next request is due.
struct RequestSource {
    private enum Kind {
        case open(ArrivalSchedule.Offsets)
        case closed(thinkNs: UInt64, endNs: UInt64)
    }

    private var kind: Kind
    private let startNs: UInt64
    /// Open: the next request. Closed: the users who are free or think, the first to be free first; they all think
    /// for the same time, so they stay in order.
    private var due: Deque<UInt64> = []

    init(_ plan: LoadPlan, startNs: UInt64) {
        self.startNs = startNs
        switch plan.model {
        case .open(let schedule):
            kind = .open(schedule.offsets(seed: plan.seed))
        case .closed(let users, let thinkTime, let duration):
            kind = .closed(thinkNs: thinkTime.wholeNs, endNs: startNs + duration.wholeNs)
            due = Deque(repeating: startNs, count: users)
        }
        advance()
    }

    /// Nil when no request is due unless another ends, or none ever will be.
    var nextDueNs: UInt64? {
        guard let next = due.first else { return nil }
        if case .closed(_, let endNs) = kind, next >= endNs { return nil }
        return next
    }

    /// Whether none ever will be, once those under way have ended.
    var isExhausted: Bool { nextDueNs == nil }

    /// The request at ``nextDueNs`` is sent, or dropped.
    mutating func take() {
        due.removeFirst()
        advance()
    }

    /// A request has ended, so its user is free again.
    mutating func ended(atNs ns: UInt64) {
        if case .closed(let thinkNs, _) = kind { due.append(ns + thinkNs) }
    }

    private mutating func advance() {
        guard case .open(var offsets) = kind else { return }
        if let offset = offsets.next() { due.append(startNs + offset) }
        kind = .open(offsets)
    }
}
