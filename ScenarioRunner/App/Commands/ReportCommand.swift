import ArgumentParser
import Foundation
import Shared
import Verdict

/// `scenario-runner report <journal | run id>`: a journal in another form.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Make a report of a run: a page, Markdown, JUnit, CSV, a table.",
        discussion: "Exit codes: 0 done, 64 no such journal, 69 the file cannot be written.")

    @Argument(help: "A journal (JSON), or the id of a run in the lab's folder.")
    var journal: String

    @Option(help: "html, md, junit, csv, text or json.")
    var format: ReportFormat = .html

    @Option(help: "Write into this file instead of standard output.")
    var out: String?

    @Option(name: .customLong("state"), help: "Folder of the lab that made the run.")
    var stateFolder = ".lab"

    func run() throws {
        let journal = try JournalArgument(stateFolder: stateFolder).read(journal)
        try OutputFile(path: out).write(try format.render(journal))
    }
}

extension ReportFormat: ExpressibleByArgument {}

/// A journal as people name it: by its file, or by the id of its run.
struct JournalArgument: Sendable {
    let stateFolder: String

    /// - Throws: ``RefusedRequest`` when there is none, or when it cannot be read.
    func read(_ argument: String) throws -> Journal {
        do {
            if FileManager.default.fileExists(atPath: argument) {
                return try JournalFiles.read(URL(fileURLWithPath: argument))
            }
            let files = JournalFiles(folder: LabFolder(path: stateFolder).runs)
            if let journal = try files.journal(argument) { return journal }
        } catch let error as UnreadableJournal {
            throw RefusedRequest(description: "\(error)")
        }
        throw RefusedRequest(
            description: "there is no journal \(argument): name a file, or a run in \(stateFolder)/runs (--state)")
    }
}

/// Where a command's document goes: a file, or standard output.
struct OutputFile: Sendable {
    let path: String?

    /// - Throws: ``LabError`` when it cannot be written.
    func write(_ text: String) throws {
        guard let path else { return FileHandle.standardOutput.write(Data(text.utf8)) }
        do {
            let file = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        } catch {
            throw LabError("cannot write \(path); choose another file with --out")
        }
    }
}
