import Foundation
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// `/api/runs/{id}/report` and `/api/compare` over real sockets.
@Suite struct ReportsAPITests {
    /// Two runs of the same experiment, ended.
    private static func runs(_ lab: RunnerLab) async throws -> [String] {
        var ids: [String] = []
        for _ in 0..<2 {
            ids.append(try lab.manager.start(RunnerLab.request(rate: 50, fault: .milliseconds(300))).id)
            _ = try await lab.ended(ids[ids.count - 1])
        }
        return ids
    }

    @Test func aReportComesInEveryFormat() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try await Self.runs(lab)[0]
            let page = try await server.get("/api/runs/\(id)/report")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.text.hasPrefix("<!doctype html>") && page.text.contains(id))
            let journal = try await lab.ended(id).journal
            for format in ReportFormat.allCases {
                let answer = try await server.get("/api/runs/\(id)/report?format=\(format.rawValue)")
                #expect(answer.status == 200 && answer.headers["content-type"] == format.contentType)
                #expect(answer.text == (try format.render(journal)), "\(format)")
            }
            let wrong = try await server.get("/api/runs/\(id)/report?format=pdf")
            #expect(wrong.status == 422 && wrong.text.contains("html, md, junit, csv, text, json"))
        }
    }

    /// What `run` prints of a runner elsewhere is what `report` and `compare` take.
    @Test func aJournalIsReadFromItsAddress() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try await Self.runs(lab)[0]
            let url = "http://127.0.0.1:\(server.port)"
            let argument = JournalArgument(stateFolder: "/nowhere")
            let journal = try await argument.read(RunnerAddress(cluster: url).file(of: id, "json"))
            #expect(journal == (try await lab.ended(id).journal))
            let wrapped = await #expect(throws: RefusedRequest.self) {
                try await argument.read("\(url)/api/runs/\(id)")
            }
            #expect(wrapped?.description.contains("is no journal") == true)
            let unknown = await #expect(throws: RefusedRequest.self) {
                try await argument.read(RunnerAddress(cluster: url).file(of: "RUN-1", "json"))
            }
            #expect(unknown?.description.contains("answered 404: There is no run RUN-1") == true)
        }
        await #expect(throws: LabError.self) {
            try await JournalArgument(stateFolder: "/nowhere").read("http://127.0.0.1:1/journal")
        }
    }

    @Test func theReportLiesBesideTheJournal() async throws {
        try await RunnerLab.run { lab in
            let id = try lab.manager.start(RunnerLab.request()).id
            let journal = try await lab.ended(id).journal
            let file = lab.folder.runs.appendingPathComponent("\(id).html")
            #expect(try String(contentsOf: file, encoding: .utf8) == ReportPage(journal).html)
        }
    }

    @Test func runsOfAnEarlierLabAreFoundInItsFolder() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try await Self.runs(lab)[0]
            let files = JournalFiles(folder: lab.folder.runs)
            try FileManager.default.copyItem(at: files.journalFile(id), to: files.journalFile("RUN-EARLIER"))
            #expect(try await server.get("/api/runs/RUN-EARLIER/report?format=text").status == 200)
            #expect(try await server.get("/api/compare?a=RUN-EARLIER&b=\(id)").status == 200)
            try Data("{}".utf8).write(to: files.journalFile("RUN-BROKEN"))
            let broken = try await server.get("/api/runs/RUN-BROKEN/report")
            #expect(broken.status == 404 && broken.text.contains("is no journal"))
        }
    }

    @Test func comparingAnswersAsTheDocumentSays() async throws {
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        try await RunnerLab.serve { lab, server in
            let ids = try await Self.runs(lab)
            let path = "/api/compare?a=\(ids[0])&b=\(ids[1])"
            let answer = try await server.get(path).json()
            #expect(schemas.problems(of: answer, to: "GET /api/compare", status: 200) == [])
            #expect(answer["a"]?["run_id"] == .string(ids[0]) && answer["b"]?["run_id"] == .string(ids[1]))
            #expect(try await server.get(path + "&format=html").text.hasPrefix("<!doctype html>"))
            #expect(try await server.get(path + "&format=text").text.contains("Verdict"))
            #expect(try await server.get("/scenario-runner\(path)&seed=7").json()["seed"] == .integer(7))
        }
    }

    @Test(arguments: [
        ("", 422, "a"), ("?a=RUN-1", 422, "b"), ("?a=RUN-1&b=RUN-2", 404, "RUN-1"),
        ("?a=RUN-1&b=RUN-2&seed=x", 422, "seed"),
        ("?a=..%2f..%2fetc%2fpasswd&b=x", 404, "There is no run"), ("?a=RUN-1&b=RUN-2&format=pdf", 422, "format"),
    ])
    func whatCannotBeCompared(query: String, status: Int, word: String) async throws {
        try await RunnerLab.serve { _, server in
            let answer = try await server.get("/api/compare\(query)")
            #expect(answer.status == status && answer.text.contains(word), "\(answer.text)")
        }
    }

    @Test func aRunThatGoesOnHasNoReportYet() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try lab.manager.start(RunnerLab.request(fault: .seconds(60))).id
            #expect(try await server.get("/api/runs/\(id)/report").status == 409)
            #expect(try await server.get("/api/compare?a=\(id)&b=\(id)").status == 409)
            _ = try lab.manager.stop(id)
            _ = try await lab.ended(id)
        }
    }

    @Test(arguments: ["", "..", "a/b", "a.b", "RUN_1", String(repeating: "a", count: 65), "a\u{0}", "RUN-1%"])
    func whatIsNoIDNamesNoFile(id: String) throws {
        #expect(!JournalFiles.isID(id))
        #expect(try JournalFiles(folder: FileManager.default.temporaryDirectory).journal(id) == nil)
    }
}
