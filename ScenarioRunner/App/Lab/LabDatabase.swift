import Foundation
import Shared

/// The PostgreSQL database in which a lab's services keep their data, each in a schema of its own, in place of SQLite
/// files in the lab's folder.
struct LabDatabase: Codable, Sendable, Equatable {
    let url: String

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter isPlain: whether replicas are on loopback. The lab's own network reaches nothing outside, but a Unix
    ///   socket is a file, and files are the host's.
    /// - Throws: ``Refusal`` with the remedy. It repeats nothing of the URL.
    init(url: String, isPlain: Bool) throws(Refusal) {
        guard let rest = Self.schemes.lazy.compactMap({ url.hasPrefix($0) ? url.dropFirst($0.count) : nil }).first
        else {
            throw Refusal(
                description: "--database takes postgres://user@host/database; without it each service has a SQLite "
                    + "file in the lab's folder")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let query = rest.drop { $0 != "?" }.dropFirst().split(separator: "&")
        let login = authority.lastIndex(of: "@").map { authority[..<$0] } ?? ""
        guard !login.contains(":"), !query.contains(where: { $0.hasPrefix("password=") }) else {
            throw Refusal(
                description: "--database: everybody on this machine can read a command line: put the password into a "
                    + "file and name that file in DATABASE_PASSWORD_FILE")
        }
        let host =
            query.first { $0.hasPrefix("host=") }?.dropFirst("host=".count)
            ?? authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let isSocket = host.isEmpty || host.hasPrefix("/") || host.uppercased().hasPrefix("%2F")
        guard isPlain || isSocket else {
            throw Refusal(
                description: "--database: the lab's own network reaches no other host: name the folder of the server's "
                    + "Unix socket, postgres:///database?host=/var/run/postgresql, or add --plain")
        }
        self.url = url
    }

    private static let schemes = ["postgres://", "postgresql://"]

    /// - Throws: ``LabError`` where this build cannot use it.
    func requireSupport() throws {
        #if !Postgres
        throw LabError("this build has no PostgreSQL: swift build -c release --traits Postgres, which needs libpq-dev")
        #endif
    }
}
