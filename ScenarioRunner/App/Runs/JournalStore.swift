import Foundation
import Logging
import Verdict

/// The runner's own journals: what it writes while runs go on, and what it takes over when it starts.
struct JournalStore: Sendable {
    let files: JournalFiles
    let logger: Logger

    /// The newest journals that a starting runner takes over.
    static let maxRead = 200
    /// Of one file: the longest run has a few thousand seconds, each a few hundred bytes.
    private static let maxBytes = 8 * 1024 * 1024

    init(folder: URL, logger: Logger) {
        files = JournalFiles(folder: folder)
        self.logger = logger
    }

    /// What cannot be written is told in the log: the run goes on.
    func write(_ journal: Journal) {
        do {
            try files.write(journal)
        } catch {
            logger.error("the journal cannot be written", metadata: ["error": "\(error)"])
        }
    }

    /// - Throws: ``UnreadableJournal``.
    func read(_ id: String) throws -> Journal {
        try JournalFiles.read(files.journalFile(id), atMost: Self.maxBytes)
    }

    /// The newest journals, newest first: ids begin with the time. What cannot be read is left out, and told in one line.
    func readNewest() -> [Journal] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: files.folder.path)) ?? []
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
}
