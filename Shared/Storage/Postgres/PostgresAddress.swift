#if Postgres
import CPostgres
import Foundation

/// Where a server is and how to log in there: what libpq made of a URL, and the file with the password.
///
/// TLS is libpq's: `sslmode` (`disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`; `prefer` where the URL
/// says nothing) and `sslrootcert` in the query of the URL. Only the last two modes tell the server from an impostor.
struct PostgresAddress: Sendable {
    private let options: [String: String]
    private let passwordFile: String?

    /// - Throws: ``StoreError/failed(_:)``, whose text repeats nothing of the URL: any part of a wrong one may be the
    ///   password.
    init(url: String, passwordFile: String?, applicationName: String) throws {
        var problem: UnsafeMutablePointer<CChar>?
        guard !url.utf8.contains(0), let parsed = PQconninfoParse(url, &problem) else {
            if let problem { PQfreemem(problem) }
            throw StoreError.failed(
                "the database URL is not understood: write postgres://user@host:5432/database?sslmode=verify-full")
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        guard passwordFile == nil || options["password"] == nil else {
            throw StoreError.failed("the database's password stands in its URL and in a file: leave one of them away")
        }
        options["client_encoding"] = "UTF8"
        options["fallback_application_name"] = applicationName
        // A server that vanished without a word is given up within 15 s, also by what waits for no answer.
        let keepAlive = ["keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "5"]
        self.options = options.merging(keepAlive.merging(["tcp_user_timeout": "15000"]) { $1 }) { given, _ in given }
        self.passwordFile = passwordFile
    }

    /// libpq's options for one connection. The file is read each time, for passwords change.
    func parameters() throws(PostgresFailure) -> [(keyword: String, value: String)] {
        var options = options
        if let passwordFile {
            guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8), !text.utf8.contains(0) else {
                throw .lost("the password file \(passwordFile) cannot be read: check its path and its permissions")
            }
            options["password"] = String(text.prefix { !$0.isNewline })
        }
        return options.map { ($0, $1) }
    }
}
#endif
