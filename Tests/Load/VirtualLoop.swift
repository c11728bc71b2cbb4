import Load
import Shared

/// A ``LoadLoop`` without sockets and without a clock: the time is where the next thing happens, so that minutes of a
/// load take a moment and come out the same every time.
struct VirtualLoop {
    /// When the request that is sent at a time is answered, and how; nil never.
    var answer: (_ sentNs: UInt64, _ message: LoadMessage) -> (atNs: UInt64, outcome: LoadEnd.Outcome)?
    var body: (LoadMessage) -> String = { _ in "" }
    /// How much later than asked the loop comes to the next thing.
    var delayNs: UInt64 = 0
    var timeoutNs: UInt64 = 5_000_000_000

    private struct UnderWay {
        let message: LoadMessage
        let sentNs: UInt64
        let endNs: UInt64
        let outcome: LoadEnd.Outcome
    }

    /// - Returns: the time at the end.
    @discardableResult
    func run(_ session: LoadSession, fromNs: UInt64, each: (UInt64) -> Void = { _ in }) -> UInt64 {
        var now = fromNs
        /// The last to end first.
        var underWay: [UnderWay] = []
        while true {
            each(now)
            var message = LoadMessage()
            switch session.step(nowNs: now, message: &message) {
            case .send:
                let given = answer(now, message).flatMap { $0.atNs - now > timeoutNs ? nil : $0 }
                let end = UnderWay(
                    message: message, sentNs: now, endNs: given?.atNs ?? now + timeoutNs,
                    outcome: given?.outcome ?? .failed(.timedOut))
                let place = underWay.lastIndex { $0.endNs > end.endNs }.map { $0 + 1 } ?? 0
                underWay.insert(end, at: place)
            case .wait(let untilNs):
                now = max(now, min(untilNs, underWay.last?.endNs ?? .max) + delayNs)
                while let end = underWay.last, end.endNs <= now {
                    underWay.removeLast()
                    tell(end, session)
                }
            case .finish:
                return now
            }
        }
    }

    private func tell(_ end: UnderWay, _ session: LoadSession) {
        Array(body(end.message).utf8).withUnsafeBytes { bytes in
            session.ended(
                LoadEnd(
                    token: end.message.token, outcome: end.outcome, startedNs: end.sentNs, endedNs: end.endNs,
                    servedBy: "payment-0", body: bytes))
        }
    }
}

/// A server that answers in 1 ms, but for 1 s in every 10 in which it answers nobody.
enum StallingServer {
    static func answer(_ sentNs: UInt64, _ message: LoadMessage) -> (atNs: UInt64, outcome: LoadEnd.Outcome)? {
        let inCycle = sentNs % 10_000_000_000
        let wait = inCycle >= 9_000_000_000 ? 10_000_000_000 - inCycle : 1_000_000
        return (sentNs + wait, .status(200))
    }
}
