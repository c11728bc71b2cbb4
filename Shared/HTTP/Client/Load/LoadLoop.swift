import CCurl
import Foundation
import Synchronization

/// Sends the requests of a ``LoadDriver``: libcurl on a thread of its own, like ``HTTPClient`` and with its promises
/// about deadlines, limits and retries, but without a task, a continuation or a wake-up for each request.
///
/// ```
///   driver.step ──send──▶ free handle of its form ──▶ libcurl ──▶ epoll, until the next is due
///      ▲                                                 │
///      └───────────────── driver.ended ◀─────────────────┘
/// ```
///
/// The deadline of a request counts from its sending; that it was sent late is for the driver to see.
public final class LoadLoop: Sendable {
    private let forms: [LoadForm]
    private let timeout: Duration
    private let configuration: HTTPClientConfiguration
    private let isPunctual: Bool
    private let poller: ccurl_poller
    private let hasEnded = Atomic<Bool>(false)

    public struct TooManyOpenFiles: Error, CustomStringConvertible {
        public let description = "this process may open no more files; raise its limit (ulimit -n)"
    }

    /// - Parameters:
    ///   - forms: what the driver's messages refer to by their places.
    ///   - timeout: of each request, in all; sent on as `X-Request-Deadline-Ms`.
    ///   - isPunctual: asks the kernel to run the loop before others (real-time, the lowest priority), where it lets this
    ///     process: on a machine that the system under test keeps busy, requests would else be late because of the
    ///     generator. Not for a load that may keep a processor busy by itself.
    ///   - configuration: without its `maxInFlight`: how many are under way is for the driver to limit.
    /// - Throws: ``TooManyOpenFiles``.
    public init(
        forms: [LoadForm], timeout: Duration, isPunctual: Bool = false, configuration: HTTPClientConfiguration = .init()
    ) throws {
        HTTPClient.prepareLibcurl
        var poller = ccurl_poller()
        guard ccurl_poller_open(&poller) else { throw TooManyOpenFiles() }
        self.forms = forms
        self.timeout = timeout
        self.configuration = configuration
        self.isPunctual = isPunctual
        self.poller = poller
    }

    deinit {
        var poller = poller
        ccurl_poller_close(&poller)
    }

    /// Returns when the driver has said ``LoadStep/finish``. To be called once.
    public func run(_ driver: any LoadDriver) async {
        precondition(hasEnded.exchange(true, ordering: .relaxed) == false, "a load loop runs once")
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = Thread { [self] in
                if isPunctual { runBeforeOthers() }
                LoadThread(forms, timeout, configuration, poller, driver).run()
                continuation.resume()
            }
            thread.name = "load"
            thread.start()
        }
    }

    /// Has the driver asked what to do now. From any thread; also before and after the run.
    public func wake() { ccurl_poller_wake(poller.wake) }
}
