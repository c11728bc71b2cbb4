import ArgumentParser
import Foundation
import Shared
import Verdict

/// `scenario-runner report <journal | run id>`: a journal in another form.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Make a report of a run: a page, Markdown, JUnit, CSV, a table.",
        discussion: "Exit codes: 0 done, 64 no such journal, 69 nobody answers, or the file cannot be written.")

    @Argument(help: "A journal (JSON), by its file or its address, or the id of a run in the lab's folder.")
    var journal: String

    @Option(help: "html, md, junit, csv, text or json.")
    var format: ReportFormat = .html

    @Option(help: "Write into this file instead of standard output.")
    var out: String?

    @Option(name: .customLong("state"), help: "Folder of the lab that made the run.")
    var stateFolder = ".lab"

    func run() async throws {
        let journal = try await JournalArgument(stateFolder: stateFolder).read(journal)
        try OutputFile(path: out).write(try format.render(journal))
    }
}

extension ReportFormat: ExpressibleByArgument {}

/// A journal as people name it: by its file, by the address that a run in a cluster prints, or by the id of its run.
struct JournalArgument: Sendable {
    let stateFolder: String

    /// For all of a journal that comes from another machine.
    private static let patience = Duration.seconds(60)

    /// - Throws: ``RefusedRequest`` when there is none, or when it cannot be read; ``LabError`` when nobody answers at its
    ///   address.
    func read(_ argument: String) async throws -> Journal {
        do {
            if ["http://", "https://"].contains(where: argument.hasPrefix) {
                return try JournalFiles.read(try await Self.fetch(argument), of: argument)
            }
            if FileManager.default.fileExists(atPath: argument) {
                return try JournalFiles.read(URL(fileURLWithPath: argument))
            }
            let files = JournalFiles(folder: LabFolder(path: stateFolder).runs)
            if let journal = try files.journal(argument) { return journal }
        } catch let error as UnreadableJournal {
            throw RefusedRequest(description: "\(error)")
        }
        throw RefusedRequest(
            description: "there is no journal \(argument): name a file, its address, or a run in \(stateFolder)/runs "
                + "(--state)")
    }

    private static func fetch(_ url: String) async throws -> Data {
        let client = HTTPClient()
        let request = HTTPClientRequest(
            url: url, timeout: Self.patience, maxResponseBytes: JournalFiles.maximumBytes)
        let answer: HTTPClientResponse?
        do { answer = try await client.execute(request) } catch is HTTPClientError { answer = nil }
        await client.shutdown()
        guard let answer else { throw LabError("no journal comes from \(url); does a runner answer there?") }
        guard answer.status == 200 else {
            let detail = try? answer.decode(JSONValue.self)["detail"]?.text
            throw RefusedRequest(description: "\(url) answered \(answer.status)" + (detail.map { ": \($0)" } ?? ""))
        }
        return answer.body
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
