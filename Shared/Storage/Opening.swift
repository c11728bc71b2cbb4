import Dispatch
import Foundation
import Synchronization

/// The wait for something that a thread of its own makes, which ends once: with what was made, an error or the deadline.
final class Opening<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    /// - Parameter timeout: then the wait ends with ``StoreError/busy``, whatever the thread does.
    init(_ continuation: CheckedContinuation<Value, any Error>, timeout: Duration) {
        self.continuation = Mutex(continuation)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(timeout / .milliseconds(1)))) {
            _ = self.end(.failure(StoreError.busy))
        }
    }

    /// False when it had ended before.
    func end(_ result: Result<Value, any Error>) -> Bool {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(with: result)
        return waiting != nil
    }

    /// Runs `body` on a thread of its own.
    static func run(
        name: String, timeout: Duration, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let opening = Opening(continuation, timeout: timeout)
            let thread = Thread { _ = opening.end(Result(catching: body)) }
            thread.name = name
            thread.start()
        }
    }
}
