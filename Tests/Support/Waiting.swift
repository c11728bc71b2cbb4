import Synchronization

/// Waits for a condition, never for a time.
///
/// - Returns: whether the condition came true before the deadline.
public func eventually(within limit: Duration = .seconds(10), _ condition: () async -> Bool) async -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return await condition()
}

/// A handler waits at the gate until the test opens it.
public final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)
    private let arrivals = Atomic<Int>(0)

    public init() {}

    /// How many have come to the gate so far.
    public var arrived: Int { arrivals.load(ordering: .acquiring) }

    public func open() { isOpen.store(true, ordering: .releasing) }

    public func wait() async throws {
        arrivals.add(1, ordering: .acquiringAndReleasing)
        while !isOpen.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(2)) }
    }
}
