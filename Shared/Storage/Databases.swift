/// Opens the store that a URL names.
public enum Databases {
    #if Postgres
    private static let forms = "write postgres://user@host/database or sqlite:/path/to/file"
    #else
    private static let forms = "write sqlite:/path/to/file"
    #endif

    /// Opens the store at `url` and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - url: `sqlite:/absolute/path` or `sqlite:relative/path`; with the package trait `Postgres` also
    ///     `postgres://user@host:5432/database?sslmode=verify-full`.
    ///   - schema: where the tables are in a PostgreSQL database, which stores may share; in SQLite each has a file.
    ///   - passwordFile: a file that holds PostgreSQL's password alone; nil when it is in the URL, or none is wanted.
    /// - Throws: ``StoreError``; ``StoreError/failed(_:)`` names the remedy when the URL is not understood. The text
    ///   repeats the scheme alone, for the rest of a URL may hold a password.
    public static func open(
        url: String, schema: String = "public", passwordFile: String? = nil, migrations: [Migration]
    ) async throws -> any Database {
        guard let colon = url.firstIndex(of: ":") else {
            throw StoreError.failed("a database URL starts with its scheme: \(forms)")
        }
        let scheme = url[..<colon].lowercased()
        switch scheme {
        case "sqlite":
            return try await SQLiteDatabase.open(
                path: try path(ofFile: url[url.index(after: colon)...]), migrations: migrations)
        case "postgres", "postgresql":
            #if Postgres
            return try await PostgresDatabase.open(
                url: url, schema: schema, passwordFile: passwordFile, migrations: migrations)
            #else
            throw StoreError.failed(
                "this build has no PostgreSQL: build with --traits Postgres, which needs libpq-dev; or \(forms)")
            #endif
        default:
            throw StoreError.failed("there is no store for \(scheme): URLs in this build: \(forms)")
        }
    }

    private static func path(ofFile rest: Substring) throws -> String {
        // `sqlite:///path` has an empty authority, as file URLs do.
        let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
        guard !path.isEmpty, !path.hasPrefix("//") else {
            throw StoreError.failed("the database URL names no file: write sqlite:/path/to/file")
        }
        return String(path)
    }
}
