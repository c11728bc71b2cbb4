import DequeModule
import Foundation
import Synchronization

/// What of a streamed answer has come and is not read yet: between the client's thread, which puts in, and the one task
/// that reads.
///
///     thread --offer--> [ pieces, at most limit ] --next--> reader
///       ^---- resume, once there is room again ---'
final class StreamBuffer: Sendable {
    private struct State {
        var pieces: Deque<Data> = []
        var bytes = 0
        /// The last offer was declined.
        var isPaused = false
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Data?, any Error>?
    }

    private enum Step {
        case piece(Data, resume: Bool)
        case end(Result<Void, any Error>)
        case parked
    }

    private let state = Mutex(State())
    private let limit: Int
    /// Has the client's thread offer again.
    private let resume: @Sendable () -> Void

    init(limit: Int, resume: @escaping @Sendable () -> Void) {
        self.limit = max(1, limit)
        self.resume = resume
    }

    /// Takes a piece, unless there is no room: then it is to be offered again after a resume.
    func offer(_ piece: UnsafeRawBufferPointer) -> Bool {
        let (taken, reader) = state.withLock { state -> (Bool, CheckedContinuation<Data?, any Error>?) in
            guard state.bytes < limit else {
                state.isPaused = true
                return (false, nil)
            }
            if let reader = state.reader {
                state.reader = nil
                return (true, reader)
            }
            state.pieces.append(Data(piece))
            state.bytes += piece.count
            return (true, nil)
        }
        reader?.resume(returning: Data(piece))
        return taken
    }

    /// Nothing more will come. What has come can still be read.
    func finish(_ result: Result<Void, any Error>) {
        let reader = state.withLock { state in
            if state.end == nil { state.end = result }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(with: result.map { nil })
    }

    func next() async throws -> Data? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Data?, any Error>) in
                switch state.withLock({ step(&$0, continuation) }) {
                case .piece(let piece, let wasPaused):
                    if wasPaused { resume() }
                    continuation.resume(returning: piece)
                case .end(let result): continuation.resume(with: result.map { nil })
                case .parked: break
                }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    private func step(_ state: inout State, _ continuation: CheckedContinuation<Data?, any Error>) -> Step {
        if let piece = state.pieces.popFirst() {
            state.bytes -= piece.count
            // Not at once when there is a little room: each resume costs a wake-up of the thread.
            let isDue = state.isPaused && state.bytes <= limit / 2
            if isDue { state.isPaused = false }
            return .piece(piece, resume: isDue)
        }
        if let end = state.end { return .end(end) }
        if Task.isCancelled { return .end(.failure(CancellationError())) }
        precondition(state.reader == nil, "a stream has one reader")
        state.reader = continuation
        return .parked
    }
}
