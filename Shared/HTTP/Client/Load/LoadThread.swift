import CCurl
import Foundation
import Glibc

/// What a ``LoadLoop`` does on its thread.
final class LoadThread {
    private let driver: any LoadDriver
    private let configuration: HTTPClientConfiguration
    private let timeoutNs: UInt64
    private let multi: MultiHandle
    private let pool = PooledSockets()
    private let sockets: SocketWatch
    private let names = AnswererNames()
    private let forms: [PreparedForm]

    /// All that were ever made; a transfer's slot is its place here.
    private var transfers: [LoadTransfer] = []
    /// The slots that are free, by form.
    private var free: [[Int]]
    /// Those under way, the first to be overdue first.
    private var underWay = SlotLine()
    private var message = LoadMessage()
    /// When libcurl wants to be called, whatever the sockets say.
    private var curlDueNs = UInt64.max
    /// Whether a request has ended since the driver was last asked.
    private var hasNews = false

    /// Requests that are handed over before libcurl is let write them: few enough that the first does not wait.
    private static let batch = 16
    /// Requests that are started before sockets are looked at again: a load that is behind must not stop reading.
    private static let mostInARow = 4 * batch

    init(
        _ forms: [LoadForm], _ timeout: Duration, _ configuration: HTTPClientConfiguration, _ poller: ccurl_poller,
        _ driver: any LoadDriver
    ) {
        self.driver = driver
        self.configuration = configuration
        timeoutNs = UInt64(max(1, timeout.wholeMilliseconds)) * 1_000_000
        multi = MultiHandle(configuration)
        sockets = SocketWatch(poller, pool)
        self.forms = forms.enumerated().map { place, form in
            PreparedForm(form, at: place, timeout: timeout, userAgent: configuration.userAgent)
        }
        free = forms.map { _ in [] }
        pool.willClose = { [unowned sockets] in sockets.closes($0) }
        setCallbacks()
    }

    /// Returns when the driver says so, with everything freed.
    func run() {
        blockAllSignals()
        while let due = startDue() {
            finishDone()
            finishOverdue()
            sockets.wait(untilNs: hasNews ? 0 : wakeTime(due)) { socket, ready in
                var running: Int32 = 0
                curl_multi_socket_action(multi.pointer, socket, ready, &running)
            }
            if MonotonicClock.nowNs() >= curlDueNs { kick() }
            finishDone()
            finishOverdue()
        }
        close()
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_callbacks(
            multi.pointer,
            { _, socket, what, context, _ in
                LoadThread.behind(context)?.sockets.change(socket, to: what)
                return 0
            },
            { _, timeoutMs, context in
                LoadThread.behind(context)?.setTimer(timeoutMs)
                return 0
            }, context)
    }

    /// The thread that libcurl was given as a context. It lives: it calls libcurl.
    private static func behind(_ context: UnsafeMutableRawPointer?) -> LoadThread? {
        context.map { Unmanaged<LoadThread>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Time

    private func setTimer(_ timeoutMs: Int) {
        curlDueNs = timeoutMs < 0 ? .max : MonotonicClock.nowNs() + UInt64(timeoutMs) * 1_000_000
    }

    private func wakeTime(_ due: UInt64) -> UInt64 {
        let overdue = underWay.first < 0 ? .max : transfers[underWay.first].deadlineNs
        return min(due, curlDueNs, overdue)
    }

    /// Lets libcurl do what it has to do by now, such as to send the requests that were handed over.
    private func kick() {
        // A timer that is not over yet stays: libcurl does not set the same one twice.
        if MonotonicClock.nowNs() >= curlDueNs { curlDueNs = .max }
        var running: Int32 = 0
        curl_multi_socket_action(multi.pointer, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    // MARK: Beginning

    /// Starts what is due. Returns when the next is, 0 for at once, or nil when the load is over.
    private func startDue() -> UInt64? {
        hasNews = false
        var started = 0
        while started < Self.mostInARow {
            message.clear()
            switch driver.step(nowNs: MonotonicClock.nowNs(), message: &message) {
            case .send:
                start()
                started += 1
                if started % Self.batch == 0 { kick() }
            case .wait(let untilNs):
                if started % Self.batch != 0 { kick() }
                return untilNs
            case .finish:
                return nil
            }
        }
        return 0
    }

    private func start() {
        let transfer = takeTransfer(message.form)
        let now = MonotonicClock.nowNs()
        guard transfer.begin(message, startedNs: now, deadlineNs: now + timeoutNs) else {
            free[message.form].append(transfer.slot)
            return tell(transfer, .failed(.invalidURL))
        }
        underWay.append(transfer.slot)
        curl_multi_add_handle(multi.pointer, transfer.easy.pointer)
    }

    private func takeTransfer(_ form: Int) -> LoadTransfer {
        if let slot = free[form].popLast() { return transfers[slot] }
        let transfer = LoadTransfer(slot: transfers.count, forms[form], configuration, pool, names)
        transfers.append(transfer)
        return transfer
    }

    // MARK: Ending

    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi.pointer, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let transfer = LoadTransfer.behind(ccurl_easy_get_private(easy))
            else { continue }
            let code = message.pointee.data.result
            if transfer.needsFreshConnection {
                curl_multi_remove_handle(multi.pointer, easy)
                transfer.demandFreshConnection()
                curl_multi_add_handle(multi.pointer, easy)
            } else {
                finish(transfer, transfer.outcome(code))
            }
        }
    }

    private func finishOverdue() {
        guard underWay.first >= 0 else { return }
        let now = MonotonicClock.nowNs()
        while underWay.first >= 0, transfers[underWay.first].deadlineNs <= now {
            finish(transfers[underWay.first], .failed(.timedOut))
        }
    }

    /// Taking a handle away from libcurl in the middle of a transfer closes its connection.
    private func finish(_ transfer: LoadTransfer, _ outcome: LoadEnd.Outcome) {
        underWay.remove(transfer.slot)
        curl_multi_remove_handle(multi.pointer, transfer.easy.pointer)
        free[transfer.form.place].append(transfer.slot)
        tell(transfer, outcome)
    }

    private func tell(_ transfer: LoadTransfer, _ outcome: LoadEnd.Outcome) {
        hasNews = true
        transfer.body.withUnsafeBytes { body in
            driver.ended(
                LoadEnd(
                    token: transfer.token, outcome: outcome, startedNs: transfer.startedNs,
                    endedNs: MonotonicClock.nowNs(),
                    servedBy: transfer.servedBy, body: body))
        }
    }

    private func close() {
        for transfer in transfers {
            // Does nothing to those that are not under way.
            curl_multi_remove_handle(multi.pointer, transfer.easy.pointer)
            transfer.free()
        }
        curl_multi_cleanup(multi.pointer)
    }
}

/// Has the kernel run this thread before ordinary ones, as far as it lets this process; threads made by it are ordinary.
func runBeforeOthers() {
    // Of <sched.h>, for programs that ask for GNU's own; Swift's module does not.
    let resetOnFork: Int32 = 0x4000_0000
    var lowest = sched_param(sched_priority: sched_get_priority_min(SCHED_RR))
    // An ordinary user gets EPERM, and stays ordinary.
    sched_setscheduler(0, SCHED_RR | resetOnFork, &lowest)
}

/// No signal handler runs on this thread, and a write to a closed connection is an error, not SIGPIPE.
func blockAllSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
}
