import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

struct StaticFilesTests {
    /// A page with a script in a folder, in a folder of its own.
    private func withFiles(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "static-\(UUID().uuidString)")
        let scripts = folder.appending(path: "js")
        try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("<!doctype html><title>é</title>".utf8).write(to: folder.appending(path: "index.html"))
        try Data("let a = 1".utf8).write(to: scripts.appending(path: "app.js"))
        for name in ["style.css", "icon.svg", "data.json", "font.woff2"] {
            try Data(name.utf8).write(to: folder.appending(path: name))
        }
        try await body(folder)
    }

    @Test func thePageIsAtItsThreeAddresses() async throws {
        try await withFiles { folder in
            try await withServer(routes: StaticFiles(folder: folder).routes) { server in
                for path in ["/", "/scenario-runner", "/scenario-runner/home", "/index.html"] {
                    let answer = try await server.get(path)
                    #expect(answer.status == 200 && answer.text == "<!doctype html><title>é</title>")
                    #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
                }
            }
        }
    }

    @Test(arguments: [
        ("/js/app.js", "text/javascript; charset=utf-8"), ("/style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"), ("/data.json", "application/json; charset=utf-8"),
        ("/font.woff2", "application/octet-stream"),
    ])
    func filesHaveTheirTypeAndTheirHeaders(path: String, contentType: String) async throws {
        try await withFiles { folder in
            try await withServer(routes: StaticFiles(folder: folder).routes) { server in
                let answer = try await server.get(path)
                #expect(answer.status == 200)
                #expect(answer.headers["content-type"] == contentType)
                #expect(answer.headers["cache-control"] == "no-cache")
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains("*"))
                let head = try await server.send("HEAD", path)
                #expect(head.status == 200 && head.body.isEmpty)
                #expect(head.headers["content-length"] == "\(answer.body.count)")
                #expect(head.headers["etag"] == answer.headers["etag"])
            }
        }
    }

    @Test func aFileThatTheBrowserHasIsNotSentAgain() async throws {
        try await withFiles { folder in
            try await withServer(routes: StaticFiles(folder: folder).routes) { server in
                let etag = try #require(await server.get("/style.css").headers["etag"])
                for header in [etag, "W/\(etag)", "\"other\", \(etag)", "*"] {
                    let answer = try await server.get("/style.css", headers: ["If-None-Match": header])
                    #expect(answer.status == 304 && answer.body.isEmpty, "\(header)")
                    #expect(answer.headers["etag"] == etag)
                    #expect(answer.headers["content-length"] != "0", "the length of a 304 would be that of the file")
                }
                let other = try await server.get("/style.css", headers: ["If-None-Match": "\"other\""])
                #expect(other.status == 200)
                #expect(try await server.get("/icon.svg").headers["etag"] != etag)
            }
        }
    }

    @Test(arguments: ["/../secret", "/%2e%2e/secret", "/js/../../secret", "/js", "/js/", "//etc/passwd", "/index"])
    func nothingElseIsServed(path: String) async throws {
        try await withFiles { folder in
            let secret = folder.deletingLastPathComponent().appending(path: "secret")
            try Data("secret".utf8).write(to: secret)
            defer { try? FileManager.default.removeItem(at: secret) }
            try await withServer(routes: StaticFiles(folder: folder).routes) { server in
                let answer = try await server.get(path)
                #expect(answer.status == 404)
            }
        }
    }

    @Test func aFolderWithoutThePageIsAnError() throws {
        let missing = FileManager.default.temporaryDirectory.appending(path: "missing-\(UUID().uuidString)")
        #expect(throws: SettingsError.self) { try StaticFiles(folder: missing) }
    }

    @Test func theFilesOfThePackageAreServed() async throws {
        let folder = try #require(Bundle.page)
        try await withServer(routes: StaticFiles(folder: folder).routes) { server in
            let answer = try await server.get("/")
            #expect(answer.status == 200 && !answer.body.isEmpty)
        }
    }
}

extension Bundle {
    /// The folder of the page as it was built, beside the tests.
    static var page: URL? {
        let folder = Bundle.main.bundleURL.appending(path: "payment-chaos_ScenarioRunner.resources/Public")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }
}
