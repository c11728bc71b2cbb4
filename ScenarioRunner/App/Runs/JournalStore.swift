import Foundation
import Logging
import Verdict

/// The journals on disk: one file a run, in `.lab/runs`.
struct JournalStore: Sendable {
    let folder: URL
    let logger: Logger

    /// The newest journals that a starting runner takes over.
    static let maxRead = 200
    /// Of one file: the longest run has a few thousand seconds, each a few hundred bytes.
    private static let maxBytes = 8 * 1024 * 1024

    /// Puts the journal in the place of what is there, whole or not at all.
    func write(_ journal: Journal) {
        do {
            try journal.json().write(to: file(journal.runID), options: .atomic)
        } catch {
            logger.error("the journal cannot be written", metadata: ["error": "\(error)"])
        }
    }

    /// - Throws: what is wrong with the file.
    func read(_ id: String) throws -> Journal {
        let file = file(id)
        let size = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        guard size <= Self.maxBytes else { throw TooLarge(bytes: size) }
        return try Journal(json: Data(contentsOf: file))
    }

    /// The newest journals, newest first: ids begin with the time. What cannot be read is left out, and told in one line.
    func readNewest() -> [Journal] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let ids = names.filter { $0.hasPrefix("RUN-") && $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        var journals: [Journal] = []
        var failures: [String] = []
        for id in ids.sorted(by: >).prefix(Self.maxRead) {
            do {
                journals.append(try read(id))
            } catch {
                failures.append("\(id): \(error)")
            }
        }
        if let first = failures.first {
            logger.warning(
                "journals of earlier runs are left out",
                metadata: ["count": "\(failures.count)", "first": "\(first.prefix(300))"])
        }
        return journals
    }

    private func file(_ id: String) -> URL { folder.appendingPathComponent("\(id).json") }

    private struct TooLarge: Error, CustomStringConvertible {
        let bytes: Int
        var description: String { "has \(bytes) bytes, more than the \(JournalStore.maxBytes) that are read" }
    }
}
