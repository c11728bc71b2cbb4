import CCurl
import DequeModule
import Foundation
import Glibc
import Synchronization

/// The thread of one client: every transfer starts, moves and ends here.
///
///     mailbox ──start──▶ waiting ──place free──▶ libcurl ──done───▶ finish ──▶ caller resumed
///        └─────cancel───────┴───────────────────────┴──────────────▶ │
///     deadlines ─────────passed─────────────────────────────────────▶ │
///
/// The total deadline is kept here, from the call on. libcurl's own (`CURLOPT_TIMEOUT_MS`) is not enforced while a
/// request waits for a connection: behind one that hung for 2 s, 300 ms became 2 s (measured with 7.88).
final class TransferLoop {
    private let multi: MultiHandle
    private let mailbox: TransferMailbox
    private let configuration: HTTPClientConfiguration

    private var deadlines = DeadlineQueue<Transfer>()
    private var waiting = Deque<Transfer>()
    /// Those in `waiting` that have ended already.
    private var abandoned = 0
    private var running = 0
    private let pool = PooledSockets()
    private var freeHandles: [EasyHandle] = []

    /// Idle handles kept for reuse; each holds some kilobytes.
    private static let maxFreeHandles = 256
    /// The longest sleep, when nothing is under way. Any message ends it.
    private static let idlePollMs: Int32 = 60_000

    init(_ multi: MultiHandle, _ mailbox: TransferMailbox, _ configuration: HTTPClientConfiguration) {
        self.multi = multi
        self.mailbox = mailbox
        self.configuration = configuration
    }

    /// Returns when the mailbox has been closed, with everything failed and freed.
    func run() {
        blockAllSignals()
        var messages: [TransferMailbox.Message] = []
        while mailbox.take(into: &messages) {
            messages.forEach(receive)
            messages.removeAll(keepingCapacity: true)
            startWaiting()
            var stillRunning: Int32 = 0
            curl_multi_perform(multi.pointer, &stillRunning)
            finishDone()
            finishOverdue()
            startWaiting()
            curl_multi_poll(multi.pointer, nil, 0, pollTimeoutMs(), nil)
        }
        messages.forEach(receive)
        close()
    }

    // MARK: Beginning

    private func receive(_ message: TransferMailbox.Message) {
        switch message {
        case .start(let transfer):
            transfer.beginSilence()
            deadlines.insert(transfer)
            waiting.append(transfer)
            // The task may have been cancelled before this message was posted.
            if transfer.isCancelled.load(ordering: .acquiring) { finish(transfer, .failure(CancellationError())) }
        case .cancel(let transfer):
            // Not seen yet: its start is still to come, and will find it cancelled.
            guard transfer.deadlineIndex != nil else { return }
            finish(transfer, .failure(CancellationError()))
        case .resume(let transfer):
            transfer.resume()
        }
    }

    private func startWaiting() {
        while running < configuration.maxInFlight, let transfer = waiting.popFirst() {
            guard transfer.phase == .waiting else {
                abandoned -= 1
                continue
            }
            let easy = freeHandles.popLast() ?? EasyHandle()
            easy.prepare(for: transfer, configuration, pool)
            transfer.attach(easy, pool)
            transfer.phase = .running
            running += 1
            curl_multi_add_handle(multi.pointer, easy.pointer)
        }
    }

    private func startAgain(_ transfer: Transfer, _ easy: UnsafeMutableRawPointer) {
        curl_multi_remove_handle(multi.pointer, easy)
        transfer.demandFreshConnection()
        curl_multi_add_handle(multi.pointer, easy)
    }

    private func pollTimeoutMs() -> Int32 {
        guard let earliest = deadlines.earliest else { return Self.idlePollMs }
        let remaining = ContinuousClock.now.duration(to: earliest.deadline).wholeMilliseconds + 1
        return Int32(min(max(remaining, 0), Int(Self.idlePollMs)))
    }

    // MARK: Ending

    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi.pointer, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let context = ccurl_easy_get_private(easy)
            else { continue }
            let code = message.pointee.data.result
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if transfer.needsFreshConnection {
                startAgain(transfer, easy)
            } else {
                finish(transfer, transfer.outcome(code))
            }
        }
    }

    private func finishOverdue() {
        guard !deadlines.isEmpty else { return }
        let now = ContinuousClock.now
        while let transfer = deadlines.earliest, transfer.deadline <= now {
            deadlines.remove(transfer)
            if transfer.extendDeadline(at: now) {
                deadlines.insert(transfer)
            } else {
                finish(transfer, .failure(HTTPClientError.timedOut))
            }
        }
    }

    /// The one place where a transfer ends. Taking a handle away from libcurl in the middle of a transfer closes its
    /// connection.
    private func finish(_ transfer: Transfer, _ outcome: Result<RawResponse, any Error>) {
        deadlines.remove(transfer)
        if transfer.phase == .waiting { abandoned += 1 }
        transfer.phase = .finished
        if let easy = transfer.detach() {
            running -= 1
            curl_multi_remove_handle(multi.pointer, easy.pointer)
            keep(easy)
        }
        transfer.end(outcome)
        forgetAbandoned()
    }

    private func keep(_ easy: EasyHandle) {
        guard freeHandles.count < Self.maxFreeHandles else { return easy.free() }
        freeHandles.append(easy)
    }

    /// Keeps the line of the waiting from filling up with those that have given up.
    private func forgetAbandoned() {
        guard abandoned > 64, abandoned > waiting.count / 2 else { return }
        waiting.removeAll { $0.phase != .waiting }
        abandoned = 0
    }

    private func close() {
        while let transfer = deadlines.earliest {
            finish(transfer, .failure(HTTPClientError.closed))
        }
        for easy in freeHandles { easy.free() }
        freeHandles = []
        curl_multi_cleanup(multi.pointer)
    }
}
