import Shared
import Synchronization

/// Ends a run early, and remembers who did.
final class StopSignal: Sendable {
    let latch = Latch()
    private let first = Mutex<String?>(nil)

    /// The reason of whoever was first; nil while nobody ended the run.
    var reason: String? { first.withLock { $0 } }

    /// - Parameter reason: a sentence for the verdict's reasons.
    func stop(_ reason: String) {
        first.withLock { first in if first == nil { first = reason } }
        latch.open()
    }
}
