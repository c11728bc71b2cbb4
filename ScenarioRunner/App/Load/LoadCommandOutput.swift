import Foundation
import Load
import Synchronization

/// One line on a terminal's standard error that tells how a load goes; nothing where standard error is no terminal.
struct LoadLine: Sendable {
    private let isTerminal = isatty(2) == 1

    func show(_ progress: LoadProgress) {
        let ok = progress.recentRequests == 0 ? 100 : progress.recentOk * 100 / progress.recentRequests
        var line = "\(Int(progress.elapsedS.rounded())) s   \(progress.recentRequests) requests/s, \(ok) % ok"
        if let p99 = progress.recentP99Ms { line += ", p99 \(String(format: "%.1f", p99)) ms" }
        line += ", \(progress.inFlight) under way"
        if progress.lateSends > 0 { line += ", \(progress.lateSends) late" }
        if progress.dropped > 0 { line += ", \(progress.dropped) never sent" }
        show(line)
    }

    func show(_ line: String) { write("\r\u{1B}[K\(line)") }

    func clear() { write("\r\u{1B}[K") }

    private func write(_ text: String) {
        if isTerminal { FileHandle.standardError.write(Data(text.utf8)) }
    }
}

/// A line a second.
final class CSVFile: Sendable {
    private let path: String
    private let lines = Mutex<[String]>([LoadSecond.csvHeader])

    /// - Throws: ``LabError`` when the file cannot be written, before the load and not after it.
    init(path: String) throws {
        self.path = path
        try finish()
    }

    func write(_ second: LoadSecond) { lines.withLock { $0.append(second.csvLine) } }

    func finish() throws {
        let text = lines.withLock { $0.joined(separator: "\n") + "\n" }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw LabError("cannot write to \(path); choose another file with --csv")
        }
    }
}
