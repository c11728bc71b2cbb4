import Experiments
import Shared
import Synchronization
import Verdict

/// Looks at a run every second: tells whoever watches, and ends it when one of its stop conditions comes true.
///
/// ```
///   samples --a second--> LiveWindow --> page
///                             '--------> StopWatch --true--> the run's stop signal
///   books ----every 5 s------------------^   (only where a condition is about money)
/// ```
struct RunWatch: Sendable {
    let recorder: RunRecorder
    let conditions: [StopCondition]
    let signal: StopSignal
    /// See ``RunExecution/glanceAtMoney``.
    let glanceAtMoney: @Sendable () async -> Bool?

    private static let glancePeriod = Duration.seconds(5)
    /// A glance at large books takes a while; the system is not to be measured while it is read all the time.
    private static let pausePerGlance = 10

    func run(until end: Latch, _ onProgress: @escaping @Sendable (RunExecution.Progress) -> Void) async {
        let money = LastGlance()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await watchSeconds(until: end, money, onProgress) }
            if conditions.contains(.moneyIsWrong) { group.addTask { await watchMoney(until: end, money) } }
        }
    }

    private func watchSeconds(
        until end: Latch, _ money: LastGlance, _ onProgress: @Sendable (RunExecution.Progress) -> Void
    ) async {
        let start = ContinuousClock.now
        var watch = StopWatch(conditions)
        var next = start + .seconds(1)
        while await !end.wait(until: next) {
            let (second, part) = recorder.takeSecond()
            onProgress(.second(second))
            let window = (next - .seconds(1) - start)..<(next - start)
            next += .seconds(1)
            // What comes before is not the experiment's doing.
            guard [.baseline, .fault, .recovery].contains(second.phase) else { continue }
            if let condition = watch.observe(window, part, moneyIsRight: money.isRight) {
                recorder.note("stop_condition", condition.description)
                signal.stop("its stop condition came true: \(condition)")
            }
        }
    }

    private func watchMoney(until end: Latch, _ money: LastGlance) async {
        var pause = Self.glancePeriod
        while await !end.wait(until: .now + pause) {
            let start = ContinuousClock.now
            money.isRight = await glanceAtMoney()
            pause = max(Self.glancePeriod, (ContinuousClock.now - start) * Self.pausePerGlance)
        }
    }
}

/// What the last glance at the books saw.
private final class LastGlance: Sendable {
    private let seen = Mutex<Bool?>(nil)
    var isRight: Bool? {
        get { seen.withLock { $0 } }
        set { seen.withLock { $0 = newValue } }
    }
}
