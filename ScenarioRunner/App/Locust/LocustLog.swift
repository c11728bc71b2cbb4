import Foundation
import Synchronization

/// What a Locust says on standard error: the first megabyte in a file, the last lines at hand.
final class LocustLog: Sendable {
    static let maxFileBytes = 1024 * 1024
    private static let maxTailBytes = 8 * 1024
    private static let toldLines = 3

    private struct State {
        let file: FileHandle?
        var written = 0
        var tail: [UInt8] = []
    }
    private let state: Mutex<State>

    /// Goes on without a file where none can be written.
    init(file: String) {
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        state = Mutex(State(file: FileHandle(forWritingAtPath: file)))
    }

    func add(_ bytes: [UInt8]) {
        state.withLock { state in
            let room = min(bytes.count, Self.maxFileBytes - state.written)
            if room > 0 { try? state.file?.write(contentsOf: bytes.prefix(room)) }
            state.written += room
            state.tail = Array((state.tail + bytes).suffix(Self.maxTailBytes))
        }
    }

    /// The last of what it said, in one line.
    var lastLines: String {
        let text = state.withLock { String(decoding: $0.tail, as: UTF8.self) }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }.suffix(Self.toldLines).joined(separator: " | ")
    }
}
