import AsyncAlgorithms
import Experiments
import Foundation
import ServiceLifecycle
import Synchronization

/// The folder of the experiments, read anew only when one of its files has changed.
///
/// ```
///   a request --------.
///   a look a second --+--> names, sizes and times of the files --others?--> files read --> event "experiments"
/// ```
///
/// A changed file counts at once, and however many pages are open, it is read once.
final class ExperimentFolder: Service, Sendable {
    struct Contents: Sendable {
        let catalogue: Catalogue
        /// As pages and scripts see them.
        let documents: [ExperimentDocument]
    }

    /// The event: what there is now.
    private struct Change: Encodable {
        let experiments: Int
        let problems: Int
    }

    /// What tells a file from its next version.
    private struct Stamp: Equatable {
        let path: String
        let inode: UInt64
        let size: Int64
        /// When its content or its rights were changed.
        let seconds: Int
        let nanoseconds: Int

        init(_ path: String) {
            var facts = stat()
            // What cannot be looked at has a stamp too: the next look may fare better.
            if stat(path, &facts) != 0 { facts = stat() }
            self.path = path
            inode = UInt64(facts.st_ino)
            size = Int64(facts.st_size)
            (seconds, nanoseconds) = (facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec)
        }
    }

    private struct State {
        /// Nil when the folder could not be read.
        var stamps: [Stamp]?
        var contents: Contents?
    }

    /// From one look to the next, while a page listens.
    private static let period = Duration.seconds(1)

    let path: String
    private let refusal: @Sendable (Experiment) -> Refusal?
    private let events: EventHub
    private let state = Mutex(State())

    /// - Parameter refusal: why an experiment cannot be run here; always the same for the same experiment.
    init(path: String, refusal: @escaping @Sendable (Experiment) -> Refusal?, events: EventHub) {
        self.path = path
        self.refusal = refusal
        self.events = events
    }

    /// What the folder holds now.
    var contents: Contents {
        state.withLock { state in
            let stamps = try? Catalogue.files(in: path).paths.map(Stamp.init)
            if let known = state.contents, state.stamps == stamps { return known }
            let catalogue = Catalogue.load(folder: path)
            let now = Contents(
                catalogue: catalogue,
                documents: catalogue.experiments.map { ExperimentDocument($0, refusal: refusal($0)) })
            let isChange = state.contents != nil
            state = State(stamps: stamps, contents: now)
            if isChange {
                events.publish(
                    "experiments",
                    Change(experiments: catalogue.experiments.count, problems: catalogue.problems.count))
            }
            return now
        }
    }

    func run() async throws {
        for await _ in AsyncTimerSequence(interval: Self.period, clock: .continuous).cancelOnGracefulShutdown()
        where events.subscriberCount > 0 {
            _ = contents
        }
    }
}
