import Experiments
import Foundation
import HTTPTypes
import Shared
import Synchronization

/// A ``LoadPlan`` on its way: what a ``LoadLoop`` asks what to send next. No clock and no socket of its own, so that a
/// test can drive it through hours in a moment.
///
/// ```
///   open:    due --> sent, or dropped when too many are under way; latency counts from *due*
///   closed:  a user is free --> sent --> answered --> thinks --> free
/// ```
///
/// Touched by the loop's thread alone, but for ``stop()`` and ``abort()``, and for ``summary()`` once the loop has
/// ended.
public final class LoadSession: LoadDriver, @unchecked Sendable {
    /// What others are told, on the loop's thread: it must be quick.
    public struct Observer: Sendable {
        /// Every request, in the order of their ends.
        public var onSample: (@Sendable (RequestSample) -> Void)?
        /// Every second of the load, once all requests that were due in it have ended.
        public var onSecond: (@Sendable (LoadSecond) -> Void)?
        /// Once a second.
        public var onProgress: (@Sendable (LoadProgress) -> Void)?

        public init() {}
    }

    private struct Pending {
        var place = 0
        var dueNs: UInt64 = 0
        var key: String?
        var amount: Money?
    }

    private static let secondNs: UInt64 = 1_000_000_000

    private let plan: LoadPlan
    private let observer: Observer
    private let startNs: UInt64
    private var mix: RequestMix
    private var source: RequestSource
    private var recorder: LoadRecorder
    private var pending: [Pending] = []
    private var freeTokens: [Int] = []
    private var inFlight = 0
    private var nextTickNs: UInt64
    private var stoppedNs: UInt64?
    private let isStopping = Atomic<Bool>(false)
    private let isAborted = Atomic<Bool>(false)

    /// - Parameter startNs: when the load begins, on `CLOCK_MONOTONIC`.
    public init(_ plan: LoadPlan, startNs: UInt64, observer: Observer = Observer()) {
        self.plan = plan
        self.observer = observer
        self.startNs = startNs
        mix = RequestMix(plan, keepsAnswers: observer.onSample != nil)
        source = RequestSource(plan, startNs: startNs)
        recorder = LoadRecorder(plan, startNs: startNs)
        nextTickNs = startNs + Self.secondNs
    }

    /// What the loop must be made with.
    public var forms: [LoadForm] { mix.forms }

    /// Sends nothing more; what is under way is awaited. The loop has to be woken for it.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Ends at once. What is under way gives no sample, for it says nothing about the system.
    public func abort() { isAborted.store(true, ordering: .relaxed) }

    /// To be asked when the loop has ended.
    public func summary() -> LoadSummary { recorder.summary(stoppedNs: stoppedNs) }

    // MARK: LoadDriver

    public func step(nowNs: UInt64, message: inout LoadMessage) -> LoadStep {
        if isAborted.load(ordering: .relaxed) || isStopping.load(ordering: .relaxed), stoppedNs == nil {
            stoppedNs = nowNs
        }
        if isAborted.load(ordering: .relaxed) { return finish(nowNs) }
        while stoppedNs == nil, let due = source.nextDueNs, due <= nowNs {
            source.take()
            guard inFlight < plan.maximumInFlight else {
                drop(dueNs: due, &message)
                continue
            }
            begin(&message, dueNs: due)
            return .send
        }
        let due = stoppedNs == nil ? source.nextDueNs : nil
        if nowNs >= nextTickNs { tick(nowNs, due: due) }
        if inFlight == 0, due == nil, stoppedNs != nil || source.isExhausted { return finish(nowNs) }
        return .wait(untilNs: min(due ?? .max, nextTickNs))
    }

    public func ended(_ end: LoadEnd) {
        let request = pending[end.token]
        freeTokens.append(end.token)
        inFlight -= 1
        var reading = AnswerReading(end.body)
        let (outcome, isSuccess) = judge(end, request.place, &reading)
        // Sent before it was due only by the clock's grain; a user waits no less than nothing.
        let sent = max(end.startedNs, request.dueNs)
        let result = LoadOutcome(
            place: request.place, dueNs: request.dueNs, sentNs: sent, endedNs: max(end.endedNs, sent),
            outcome: outcome, isSuccess: isSuccess)
        recorder.end(result)
        source.ended(atNs: result.endedNs)
        remember(request.place, isSuccess, &reading)
        tellSample(result, request, end.servedBy, &reading)
    }

    // MARK: Sending

    private func begin(_ message: inout LoadMessage, dueNs: UInt64) {
        let token = freeTokens.popLast() ?? pending.count
        if token == pending.count { pending.append(Pending()) }
        message.token = token
        let place = mix.draw(into: &message)
        pending[token] = pend(message, place, dueNs)
        inFlight += 1
        recorder.begin(dueNs: dueNs, inFlight: inFlight)
    }

    /// The names of a payment are kept only for those who are told of samples.
    private func pend(_ message: LoadMessage, _ place: Int, _ dueNs: UInt64) -> Pending {
        var request = Pending(place: place, dueNs: dueNs)
        guard observer.onSample != nil, plan.requests[place].isPayment else { return request }
        request.key =
            message.headers.first { $0.name == .idempotencyKey }?.value ?? forms[place].headers[.idempotencyKey]
        request.amount = (message.body ?? forms[place].body).flatMap(PaymentWish.amount)
        return request
    }

    /// Counted as one who waited in vain until the end: that it was not sent must not make the load look quick.
    private func drop(dueNs: UInt64, _ message: inout LoadMessage) {
        let place = mix.draw(into: &message)
        let request = pend(message, place, dueNs)
        message = LoadMessage()
        recorder.begin(dueNs: dueNs, inFlight: inFlight)
        let outcome = LoadOutcome(
            place: place, dueNs: dueNs, sentNs: dueNs, endedNs: dueNs + plan.timeout.wholeNs, outcome: .dropped,
            isSuccess: false)
        recorder.end(outcome)
        var reading = AnswerReading(.init(start: nil, count: 0))
        tellSample(outcome, request, nil, &reading)
    }

    private func tick(_ nowNs: UInt64, due: UInt64?) {
        nextTickNs += (nowNs - nextTickNs) / Self.secondNs * Self.secondNs + Self.secondNs
        // Requests that are still to be sent belong to their second, however late it is.
        tellSeconds(nowNs: min(nowNs, due ?? nowNs))
        observer.onProgress?(recorder.progress(nowNs: nowNs, inFlight: inFlight))
    }

    private func finish(_ nowNs: UInt64) -> LoadStep {
        tellSeconds(nowNs: nowNs, all: true)
        observer.onProgress?(recorder.progress(nowNs: nowNs, inFlight: 0))
        return .finish
    }

    private func tellSeconds(nowNs: UInt64, all: Bool = false) {
        for second in recorder.takeSeconds(nowNs: nowNs, all: all) { observer.onSecond?(second) }
    }

    // MARK: Answers

    private func judge(
        _ end: LoadEnd, _ place: Int, _ reading: inout AnswerReading
    ) -> (RequestSample.Outcome, isSuccess: Bool) {
        switch end.outcome {
        case .failed(.timedOut): return (.timedOut, false)
        case .failed: return (.connectionFailed, false)
        case .status(let status):
            let expectation = plan.requests[place].expectation ?? .usual
            return (.status(status), expectation.isMet(status: status, &reading))
        }
    }

    private func remember(_ place: Int, _ isSuccess: Bool, _ reading: inout AnswerReading) {
        guard isSuccess, !plan.requests[place].remembers.isEmpty, let json = reading.json else { return }
        for (name, pointer) in plan.requests[place].remembers {
            if let value = pointer.value(in: json)?.text { mix.memory.keep(value, as: name) }
        }
    }

    private func tellSample(
        _ result: LoadOutcome, _ request: Pending, _ replica: String?, _ reading: inout AnswerReading
    ) {
        guard let onSample = observer.onSample else { return }
        let template = plan.requests[result.place]
        var payment: RequestSample.Payment?
        if template.isPayment {
            payment = RequestSample.Payment(
                idempotencyKey: request.key, paymentID: reading.json?["payment_id"]?.text, amount: request.amount)
        }
        onSample(
            RequestSample(
                endpoint: template.name, intendedNs: result.dueNs, sendDelayNs: result.sendDelayNs,
                latencyNs: result.latencyNs, outcome: result.outcome, payment: payment, replica: replica,
                isExpected: template.expectation == nil ? nil : result.isSuccess))
    }
}

/// The body of an answer, read as JSON once and only if somebody asks.
struct AnswerReading {
    let body: UnsafeRawBufferPointer
    private var isRead = false
    private var value: JSONValue?

    init(_ body: UnsafeRawBufferPointer) {
        self.body = body
    }

    /// Nil where the body is no JSON.
    var json: JSONValue? {
        mutating get {
            if !isRead {
                isRead = true
                value = body.isEmpty ? nil : try? JSONDecoder().decode(JSONValue.self, from: Data(body))
            }
            return value
        }
    }
}
