import Synchronization

/// The objects that this runner has in force: ``LeaseSweep`` renews their leases and never deletes them.
public final class LeaseBook: Sendable {
    struct Entry: Hashable, Sendable {
        let kind: ChaosKind
        let name: String
    }

    private let entries = Mutex<Set<Entry>>([])

    public init() {}

    func add(_ entry: Entry) { entries.withLock { _ = $0.insert(entry) } }
    func remove(_ entry: Entry) { entries.withLock { _ = $0.remove(entry) } }
    func contains(_ entry: Entry) -> Bool { entries.withLock { $0.contains(entry) } }
    var all: Set<Entry> { entries.withLock { $0 } }
}
