/// One thing that faults and measurements would like to have, and whether this machine, or this cluster, has it.
public struct Finding: Sendable, Equatable, Codable {
    public enum Status: String, Sendable, Codable, CaseIterable {
        case ok
        /// It goes without, less well; or whether it is there cannot be known from here.
        case degraded
        /// Something does not work at all without it.
        case missing
    }

    /// `namespaces`, `nft`, `port 5002`, `chaos mesh`: unique in one examination.
    public let name: String
    public let status: Status
    /// What was found; unless all is well, also what is lost by it.
    public let detail: String
    /// What to do about it; nil where nothing needs doing.
    public let remedy: String?

    public init(name: String, status: Status, detail: String, remedy: String? = nil) {
        self.name = name
        self.status = status
        self.detail = detail
        self.remedy = remedy
    }
}
