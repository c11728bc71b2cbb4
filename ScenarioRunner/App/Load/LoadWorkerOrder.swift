import Experiments
import Foundation
import Load
import Shared
import Synchronization

/// What a load worker is told, as JSON on its standard input.
struct LoadWorkerOrder: Codable, Sendable, Equatable {
    /// The text of the profile and the name of its file: the worker sends what was checked, whatever becomes of the
    /// file meanwhile.
    var profile: String
    var file: String
    var paymentURL: String
    var inventoryURL: String
    var notificationURL: String
    /// Instead of the profile's own.
    var baseURL: String?
    var shape: LoadShape
    var seed: UInt64
    var runID: String
    var timeoutMs = Int(LoadPlan.patience.nanoseconds / 1_000_000)
    /// Whether every request is told, or only seconds and progress.
    var tellsSamples = false

    init(_ profile: LoadProfile, shape: LoadShape, seed: UInt64, runID: String, targets: LoadProfile.Targets) {
        self.profile = profile.text
        file = profile.file
        paymentURL = targets.payment
        inventoryURL = targets.inventory
        notificationURL = targets.notification
        self.shape = shape
        self.seed = seed
        self.runID = runID
    }

    func readProfile() throws(Refusal) -> LoadProfile { try LoadProfile.load(profile, file: file) }

    /// - Throws: ``LoadPlanError`` or `Refusal` for what cannot be sent.
    func plan() throws -> LoadPlan {
        try LoadPlan(
            model: shape.planModel(), seed: seed, runID: runID,
            requests: readProfile().templates(
                targets: .init(payment: paymentURL, inventory: inventoryURL, notification: notificationURL),
                baseURL: baseURL),
            timeout: .milliseconds(timeoutMs))
    }
}

/// What a load worker tells, one JSON line each on its standard output.
enum LoadWorkerLine: Codable, Sendable, Equatable {
    case sample(RequestSample)
    case second(LoadSecond)
    case progress(LoadProgress)
    /// The last line of a load that ended in order.
    case summary(LoadSummary)

    private enum CodingKeys: String, CodingKey { case sample, second, progress, summary }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch container.allKeys.first {
        case .sample?: self = .sample(try container.decode(RequestSample.self, forKey: .sample))
        case .second?: self = .second(try container.decode(LoadSecond.self, forKey: .second))
        case .progress?: self = .progress(try container.decode(LoadProgress.self, forKey: .progress))
        case .summary?: self = .summary(try container.decode(LoadSummary.self, forKey: .summary))
        case nil:
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a line of a load worker"))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .sample(let sample): try container.encode(sample, forKey: .sample)
        case .second(let second): try container.encode(second, forKey: .second)
        case .progress(let progress): try container.encode(progress, forKey: .progress)
        case .summary(let summary): try container.encode(summary, forKey: .summary)
        }
    }
}

/// Lines on their way out: the thread that sends the load only puts them here.
///
/// It holds what the reader has not taken yet. A load that tells every request is that of a run, which has half a million
/// of them at most.
final class LoadWorkerOutbox: Sendable {
    private struct State {
        var lines: [LoadWorkerLine] = []
        var isClosed = false
    }
    private let state = Mutex(State())

    private static let interval = Duration.milliseconds(20)

    func add(_ line: LoadWorkerLine) { state.withLock { $0.lines.append(line) } }

    /// The lines that are here are the last ones.
    func close() { state.withLock { $0.isClosed = true } }

    /// Hands the lines to `write`, many at a time, until the outbox is closed and empty.
    ///
    /// - Throws: what `write` throws: nobody reads any more.
    func run(_ write: (Data) throws -> Void) async throws {
        let encoder = JSONEncoder()
        while true {
            let taken = state.withLock { state in
                defer { state.lines = [] }
                return state
            }
            var text = Data()
            for line in taken.lines {
                text += try encoder.encode(line)
                text.append(UInt8(ascii: "\n"))
            }
            if !text.isEmpty { try write(text) }
            if taken.isClosed { return }
            try await Task.sleep(for: Self.interval)
        }
    }
}
