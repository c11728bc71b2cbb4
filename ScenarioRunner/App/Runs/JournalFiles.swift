import Foundation
import Verdict

/// The journals of a lab's folder, each with its report beside it.
///
/// ```
///   .lab/runs/RUN-1.json   the journal
///   .lab/runs/RUN-1.html   the same for people
/// ```
struct JournalFiles: Sendable {
    let folder: URL

    /// The most that is read as a journal: the longest run at the highest rate has a few MB.
    static let maximumBytes = 64 * 1024 * 1024

    func journalFile(_ id: String) -> URL { folder.appendingPathComponent("\(id).json") }
    func reportFile(_ id: String) -> URL { folder.appendingPathComponent("\(id).html") }

    /// Puts the journal in the place of what is there, whole or not at all.
    ///
    /// - Throws: what the file system says.
    func write(_ journal: Journal) throws {
        try journal.json().write(to: journalFile(journal.runID), options: .atomic)
    }

    /// - Throws: what the file system says.
    func writeReport(_ journal: Journal) throws {
        try Data(ReportPage(journal).html.utf8).write(to: reportFile(journal.runID), options: .atomic)
    }

    /// The journal of an earlier run; nil when there is none.
    ///
    /// - Parameter id: anything; what cannot be an id names no file.
    /// - Throws: ``UnreadableJournal``.
    func journal(_ id: String) throws -> Journal? {
        guard Self.isID(id), FileManager.default.fileExists(atPath: journalFile(id).path) else { return nil }
        return try Self.read(journalFile(id))
    }

    /// - Parameter maximum: a larger file is refused, in bytes.
    /// - Throws: ``UnreadableJournal``.
    static func read(_ file: URL, atMost maximum: Int = maximumBytes) throws(UnreadableJournal) -> Journal {
        guard let handle = try? FileHandle(forReadingFrom: file),
            let data = try? handle.read(upToCount: maximum + 1) ?? Data()
        else { throw UnreadableJournal(file.relativePath, "it cannot be read") }
        guard data.count <= maximum else {
            throw UnreadableJournal(file.relativePath, "it is larger than \(maximum / 1_048_576) MiB")
        }
        return try read(data, of: file.relativePath)
    }

    /// - Parameter source: where it comes from, for people.
    /// - Throws: ``UnreadableJournal``.
    static func read(_ data: Data, of source: String) throws(UnreadableJournal) -> Journal {
        do {
            return try Journal(json: data)
        } catch let error as OtherJournalSchema {
            throw UnreadableJournal(source, "\(error)")
        } catch {
            throw UnreadableJournal(source, "it is not JSON of the journal's schema")
        }
    }

    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
    }
}

/// What should be a journal and is none, with the reason.
struct UnreadableJournal: Error, CustomStringConvertible {
    let description: String

    init(_ source: String, _ reason: String) { description = "\(source) is no journal: \(reason)" }
}
