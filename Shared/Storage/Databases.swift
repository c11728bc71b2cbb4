/// Opens the store that a URL names.
public enum Databases {
    /// Opens the store at `url` and brings its schema up to date.
    ///
    /// - Parameter url: `sqlite:/absolute/path` or `sqlite:relative/path`.
    /// - Throws: ``StoreError``; ``StoreError/failed(_:)`` names the remedy when the URL is not understood. The text
    ///   repeats the scheme alone, for the rest of a URL may hold a password.
    public static func open(url: String, migrations: [Migration]) async throws -> any Database {
        guard let colon = url.firstIndex(of: ":") else {
            throw StoreError.failed("a database URL starts with its scheme: write sqlite:/path/to/file")
        }
        let scheme = url[..<colon].lowercased()
        guard scheme == "sqlite" else {
            throw StoreError.failed("there is no store for \(scheme): URLs in this build: write sqlite:/path/to/file")
        }
        // `sqlite:///path` has an empty authority, as file URLs do.
        let rest = url[url.index(after: colon)...]
        let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
        guard !path.isEmpty, !path.hasPrefix("//") else {
            throw StoreError.failed("the database URL names no file: write sqlite:/path/to/file")
        }
        return try await SQLiteDatabase.open(path: String(path), migrations: migrations)
    }
}
