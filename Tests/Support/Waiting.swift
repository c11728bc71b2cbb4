import Foundation
import Synchronization

/// Waits for a condition, never for a time.
///
/// - Parameter what: what is waited for, for whoever reads of the failure.
/// - Throws: ``NeverHappened``, and what the condition throws.
public func eventually(
    _ what: String = "the condition", within limit: Duration = .seconds(30), file: StaticString = #fileID,
    line: UInt = #line, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw NeverHappened(description: "\(file):\(line): \(what) did not come true within \(limit)")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// A condition did not come true in time.
public struct NeverHappened: Error, CustomStringConvertible {
    public let description: String
}

/// A blocking call on a thread of its own: on one of the few that all tests share, it would hold the others up.
public func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
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
