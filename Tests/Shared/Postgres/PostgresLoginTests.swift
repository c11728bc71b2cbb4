#if Postgres
import Foundation
import TestSupport
import Testing

@testable import Shared

@Suite("PostgreSQL: TLS and passwords", .timeLimit(.minutes(2)))
struct PostgresLoginTests {
    private static let secret = "open%20sesame"

    private func open(_ url: String, passwordFile: String? = nil) async throws -> PostgresDatabase {
        var configuration = PostgresConfiguration()
        // Time for one attempt on a machine that does other things too: an answer that is late hides the reason.
        (configuration.connections, configuration.reachTimeout) = (1, .seconds(3))
        return try await PostgresDatabase.open(
            url: url, schema: newSchema(), passwordFile: passwordFile, migrations: [], configuration: configuration)
    }

    private func failure(_ url: String, passwordFile: String? = nil) async throws -> String {
        let error = try await #require(throws: StoreError.self) {
            await (try open(url, passwordFile: passwordFile)).close()
        }
        guard case .failed(let text) = error else { throw error }
        #expect(!text.contains("sesame"), "\(text)")
        return text
    }

    private func isEncrypted(_ store: PostgresDatabase) async throws -> Bool {
        let answer = try await store.read {
            try $0.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0].integer("ssl")
        }
        await store.close()
        return answer == 1
    }

    @Test("verify-full takes the server whose authority is known, and no other")
    func authority() async throws {
        let server = try await PostgresServer.shared()
        func url(_ mode: String, _ authority: String?) -> String {
            let root = authority.map { "&sslrootcert=\($0)" } ?? ""
            return server.tcpURL("postgres", password: Self.secret, query: "?sslmode=\(mode)\(root)")
        }
        for mode in ["verify-full", "verify-ca"] {
            #expect(try await isEncrypted(try await open(url(mode, server.authority))))
            let text = try await failure(url(mode, server.otherAuthority))
            #expect(text.contains("certificate verify failed"), "\(text)")
        }
        // The certificate is for 127.0.0.1.
        let byName = url("verify-full", server.authority).replacing("127.0.0.1", with: "localhost")
        #expect(try await failure(byName).contains("does not match host name"))
        #expect(try await isEncrypted(try await open(url("require", nil))))
        #expect(try await !isEncrypted(try await open(url("disable", nil))))
    }

    @Test("The password comes from the URL or from a file, and is told nowhere")
    func passwords() async throws {
        let server = try await PostgresServer.shared()
        try await withStorageFolder { folder in
            let file = folder.appending(path: "password").path
            let url = server.tcpURL("postgres", password: nil)
            #expect(try await failure(url, passwordFile: file).contains("the password file \(file) cannot be read"))
            try Data("wrong sesame\n".utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await failure(url, passwordFile: file).contains("password authentication failed"))
            try Data("\(PostgresServer.password)\n".utf8).write(to: URL(fileURLWithPath: file))
            await (try open(url, passwordFile: file)).close()
            let both = server.tcpURL("postgres", password: Self.secret)
            #expect(try await failure(both, passwordFile: file).contains("leave one of them away"))
            await (try open(both)).close()
            #expect(
                try await failure("postgres://a:sesame@h/d?sslmode=verify-full&nonsense=sesame").contains(
                    "not understood"))
        }
    }
}
#endif
