import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// What is sent compressed, and to whom.
struct CompressionTests {
    /// A page and a long script, in a folder of its own.
    private func withFiles(_ body: (TestServer, _ script: Data) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "compressed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("<!doctype html>".utf8).write(to: folder.appending(path: "index.html"))
        let script = Data((0..<400).map { "export const name\($0) = \"a value of its own\";\n" }.joined().utf8)
        try script.write(to: folder.appending(path: "app.js"))
        try await withServer(routes: StaticFiles(folder: folder).routes) { try await body($0, script) }
    }

    /// As the tool of that name unpacks it.
    private static func gunzip(_ data: Data) async throws -> Data {
        let file = FileManager.default.temporaryDirectory.appending(path: "gunzip-\(UUID().uuidString).gz")
        try data.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try await onThread {
            defer { process.waitUntilExit() }
            return try pipe.fileHandleForReading.readToEnd() ?? Data()
        }
        try #require(process.terminationStatus == 0)
        return output
    }

    @Test func aLongFileIsSentCompressed() async throws {
        try await withFiles { server, script in
            let answer = try await server.get("/app.js", headers: ["Accept-Encoding": "gzip, deflate, br, zstd"])
            #expect(answer.headers["content-encoding"] == "gzip" && answer.headers["vary"] == "Accept-Encoding")
            #expect(answer.headers["content-length"] == "\(answer.body.count)" && answer.body.count < script.count / 4)
            #expect(try await Self.gunzip(answer.body) == script)
            let head = try await server.send("HEAD", "/app.js", headers: ["Accept-Encoding": "gzip"])
            #expect(head.headers["content-length"] == "\(answer.body.count)" && head.body.isEmpty)
            #expect(head.headers["content-encoding"] == "gzip")
        }
    }

    @Test func whoTakesNoGzipGetsTheBareFile() async throws {
        try await withFiles { server, script in
            for header in [nil, "identity", "br", "gzip;q=0", "gzip;q=2", "gzip;"] {
                let answer = try await server.get("/app.js", headers: header.map { ["Accept-Encoding": $0] } ?? [:])
                #expect(answer.body == script && answer.headers["content-encoding"] == nil, "\(header ?? "none")")
                #expect(answer.headers["vary"] == "Accept-Encoding", "a cache must not give it to all")
            }
        }
    }

    @Test func aShortFileIsNotWorthIt() async throws {
        try await withFiles { server, _ in
            let answer = try await server.get("/", headers: ["Accept-Encoding": "gzip"])
            #expect(answer.text == "<!doctype html>" && answer.headers["content-encoding"] == nil)
            #expect(answer.headers["vary"] == nil)
        }
    }

    @Test func eachFormHasATagOfItsOwn() async throws {
        try await withFiles { server, _ in
            let gzip = ["Accept-Encoding": "gzip"]
            let bare = try #require(await server.get("/app.js").headers["etag"])
            let packed = try #require(await server.get("/app.js", headers: gzip).headers["etag"])
            #expect(bare != packed && !bare.hasPrefix("W/") && !packed.hasPrefix("W/"))
            let cases = [(bare, [:], 304), (packed, [:], 200), (packed, gzip, 304), (bare, gzip, 200)]
            for (tag, headers, status) in cases {
                let answer = try await server.get("/app.js", headers: headers.merging(["If-None-Match": tag]) { $1 })
                #expect(answer.status == status)
                if status == 304 {
                    #expect(answer.headers["etag"] == tag && answer.headers["vary"] == "Accept-Encoding")
                    #expect(answer.body.isEmpty && answer.headers["content-encoding"] == nil)
                }
            }
        }
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("*", true), ("*;q=0", false),
            ("br, gzip;q=0.001", true), ("gzip;q=0.000", false), ("gzip;q=0", false), ("*, gzip;q=0", false),
            ("identity, gzip;q=0.5", false), ("identity;q=0.5, gzip", true), ("identity;q=0, *", true),
            ("gzip;q=0.5, *;q=0.8", false), ("gzip ; Q=1.000 ,", true), (", ,gzip", true), ("deflate", false),
            ("gzip, gzip;q=0", false),
            // Not well-formed, and so no wish at all.
            ("gzip;q=1.001", false), ("gzip;q=0.0001", false), ("gzip;q=.5", false), ("gzip;q=", false),
            ("gzip;q=-1", false), ("gzip;level=9", false), ("gzip;q=1;q=1", false), ("gzip;q=0,5", false),
            ("gz ip", false), ("gzip;q=١", false), ("gzip, ;q=1", false), ("gzip/1", false),
        ] as [(String?, Bool)])
    func wishesAreReadStrictly(header: String?, isGzip: Bool) {
        #expect(AcceptEncoding(header).prefersGzip == isGzip)
    }

    @Test func everythingComesBackFromGzip() async throws {
        var generator = SeededGenerator(seed: 3)
        let noise = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for bytes in [[], [65], Array(repeating: 7, count: 100_000), noise] as [[UInt8]] {
            let packed = try #require(Gzip.compress(bytes))
            #expect(try await Self.gunzip(Data(packed)) == Data(bytes), "\(bytes.count) bytes")
        }
    }

    @Test func thePageIsWhatPays() throws {
        let folder = try #require(Bundle.page)
        let script = try Data(contentsOf: folder.appending(path: "js/store.js"))
        #expect(try #require(Gzip.compress(Array(script))).count < script.count / 2)
    }
}
