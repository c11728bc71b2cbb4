/// The databases that this build can keep its stores in. Tests of stores run once on each.
public enum DatabaseKind: String, Sendable, CaseIterable, CustomStringConvertible {
    case sqlite
    #if Postgres
    case postgres
    #endif

    public var description: String { rawValue }
}
