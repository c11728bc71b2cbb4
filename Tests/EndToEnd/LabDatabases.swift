import TestSupport

extension DatabaseKind {
    /// What `scenario-runner lab` is told so that its services keep their data in a new database of this kind.
    func labArguments() async throws -> [String] {
        switch self {
        case .sqlite: return []
        #if Postgres
        case .postgres:
            let server = try await PostgresServer.shared()
            return ["--database", server.socketURL(try await server.newDatabase())]
        #endif
        }
    }
}
