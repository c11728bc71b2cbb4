import CCurl
import Synchronization

/// libcurl's multi handle. Everything but ``wakeUp()`` is for the client's thread only.
struct MultiHandle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    init(_ configuration: HTTPClientConfiguration) {
        guard let pointer = curl_multi_init() else { preconditionFailure("out of memory") }
        self.pointer = pointer
        ccurl_multi_set_long(pointer, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_long(pointer, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maxTotalConnections)
        ccurl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, configuration.maxTotalConnections)
    }

    /// Ends the poll under way, or the next one. The handle must not have been freed.
    func wakeUp() {
        curl_multi_wakeup(pointer)
    }
}

/// Hands work from any task to the client's thread.
///
///     tasks ──post──▶ [ start, cancel, ... ] ──take──▶ client's thread
///                       one wake-up for each batch
final class TransferMailbox: Sendable {
    enum Message {
        case start(Transfer)
        case cancel(Transfer)
        /// The reader of a stream has made room.
        case resume(Transfer)
    }

    private struct State {
        var messages: [Message] = []
        var isClosed = false
        var hasEnded = false
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let multi: MultiHandle

    init(waking multi: MultiHandle) {
        self.multi = multi
    }

    /// Returns false when the mailbox is closed and the message was not taken.
    @discardableResult
    func post(_ message: Message) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.append(message)
            // Inside the lock: the thread frees the handle only after it has seen the mailbox closed.
            if state.messages.count == 1 { multi.wakeUp() }
            return true
        }
    }

    /// Refuses further messages and has the thread end.
    func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            multi.wakeUp()
        }
    }

    /// Moves what has come into `messages`, which must be empty. Returns false once the mailbox is closed: these
    /// are the last ones.
    func take(into messages: inout [Message]) -> Bool {
        state.withLock { state in
            swap(&state.messages, &messages)
            return !state.isClosed
        }
    }

    // MARK: The end of the thread

    /// The thread's last word.
    func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
        for continuation in waiting { continuation.resume() }
    }

    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waitingForEnd.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}
