/// One step of a schema's history: applied once, in order, in a transaction.
public struct Migration: Sendable {
    /// Unique and never changed once released: `v1 payments`.
    public let name: String
    /// Statements separated by semicolons.
    public let sql: String

    public init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}

extension Migration {
    /// - Throws: ``StoreError/failed(_:)``
    static func requireUniqueNames(_ migrations: [Migration]) throws {
        for (index, migration) in migrations.enumerated() {
            guard !migrations[..<index].contains(where: { $0.name == migration.name }) else {
                throw StoreError.failed("two migrations are called '\(migration.name)': give each its own name")
            }
        }
    }

    /// Those that are still to be applied: all after the last that was.
    ///
    /// - Parameter applied: names, also of migrations that only a newer version knows.
    /// - Throws: ``StoreError/failed(_:)`` for a new migration that stands before one that is applied.
    static func missing(of migrations: [Migration], applied: Set<String>) throws -> [Migration] {
        let known = migrations.map { applied.contains($0.name) }
        if let gap = known.firstIndex(of: false), let later = known.lastIndex(of: true), gap < later {
            throw StoreError.failed(
                "migration '\(migrations[gap].name)' stands before '\(migrations[later].name)', which is applied: "
                    + "add new migrations at the end")
        }
        return migrations.filter { !applied.contains($0.name) }
    }
}
