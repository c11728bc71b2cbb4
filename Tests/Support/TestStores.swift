import Foundation
import Shared

extension DatabaseKind {
    /// What the tests of the services keep their stores in: `TEST_DATABASE` names it, `sqlite` by default. `make test` runs
    /// those tests once on each.
    public static let ofServices: DatabaseKind = {
        let name = ProcessInfo.processInfo.environment["TEST_DATABASE"] ?? sqlite.rawValue
        guard let kind = DatabaseKind(rawValue: name) else {
            fatalError("TEST_DATABASE=\(name): this build has \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return kind
    }()
}

/// Opens a service's store of one test: a file in its folder, or a schema in a PostgreSQL database that belongs to that
/// folder. Who opens the same name in the same folder again, be it in another process, opens the same store.
///
/// - Parameter patience: how long calls wait for a machine that stands still; nil: as in production.
public func openStore(
    _ name: String, in folder: URL, migrations: [Migration], patience: Duration? = nil
) async throws -> any Database {
    switch DatabaseKind.ofServices {
    case .sqlite:
        var configuration = SQLiteConfiguration()
        configuration.waitTimeout = patience ?? configuration.waitTimeout
        return try await SQLiteDatabase.open(
            path: folder.appending(path: "\(name).sqlite").path, migrations: migrations, configuration: configuration)
    #if Postgres
    case .postgres:
        var configuration = PostgresConfiguration()
        configuration.connections = 4
        configuration.waitTimeout = patience ?? configuration.waitTimeout
        return try await PostgresDatabase.open(
            url: try await FolderDatabases.shared.url(in: folder), schema: name, migrations: migrations,
            configuration: configuration)
    #endif
    }
}

/// Everything that the stores in a folder hold, as it lies on the disk or would be written to one.
public func storedBytes(in folder: URL) async throws -> [Data] {
    switch DatabaseKind.ofServices {
    case .sqlite:
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.map { try Data(contentsOf: $0) }
    #if Postgres
    case .postgres:
        let url = try await FolderDatabases.shared.url(in: folder)
        return [Data(try await PostgresServer.shared().dump(url).utf8)]
    #endif
    }
}

#if Postgres
/// Which database belongs to a folder: a file in it says so, for other processes too.
private actor FolderDatabases {
    static let shared = FolderDatabases()

    private var making: [URL: Task<String, any Error>] = [:]

    func url(in folder: URL) async throws -> String {
        let file = folder.appending(path: "postgres.url")
        if let url = try? String(contentsOf: file, encoding: .utf8) { return url }
        if let task = making[folder] { return try await task.value }
        let task = Task {
            let server = try await PostgresServer.shared()
            let url = server.socketURL(try await server.newDatabase())
            try Data(url.utf8).write(to: file, options: .atomic)
            return url
        }
        making[folder] = task
        return try await task.value
    }
}
#endif
