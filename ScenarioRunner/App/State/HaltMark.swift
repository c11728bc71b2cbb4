import Foundation
import Logging
import Synchronization

/// Remembers a halt beyond the end of the runner: a file that is there while everything is halted.
///
/// A pod is evicted, or started again, without anybody's asking, and must not go on where somebody has halted everything.
/// A lab is started by somebody, who expects it armed: it remembers none.
final class HaltMark: Sendable {
    private let file: URL
    private let turn = Mutex(())
    private let logger: Logger

    /// - Parameter folder: of the runner.
    init(folder: LabFolder, logger: Logger) {
        file = folder.root.appendingPathComponent("halted")
        self.logger = logger
    }

    /// Whether the runner was halted when it ended.
    var isSet: Bool { FileManager.default.fileExists(atPath: file.path) }

    /// Makes the file say what is so. Where that fails everything is halted all the same, as long as the runner lives.
    ///
    /// - Parameter isHalted: is asked when the callers before have been served, so that the last word is the newest.
    func keep(_ isHalted: () -> Bool) {
        turn.withLock { _ in
            let isHalted = isHalted()
            do {
                if isHalted {
                    try Data("Everything is halted: 'scenario-runner rearm' removes this file.\n".utf8).write(to: file)
                } else if isSet {
                    try FileManager.default.removeItem(at: file)
                }
            } catch {
                logger.error(
                    "a runner that starts anew will not know whether everything is halted",
                    metadata: ["halted": "\(isHalted)", "error": "\(error)"])
            }
        }
    }
}
