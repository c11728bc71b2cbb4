/// A piece of a manifest without its lines: what a spec of an unread kind is kept as, and what the read ones are
/// written as.
public indirect enum ManifestTree: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public let name: String
        public let value: ManifestTree

        public init(_ name: String, _ value: ManifestTree) {
            self.name = name
            self.value = value
        }
    }

    case text(String)
    /// A number, a truth value or a null, as written.
    case plain(String)
    case list([ManifestTree])
    /// In the order of the manifest.
    case fields([Field])

    /// Every scalar with its place: `spec.templates[1].name`. Empty texts, lists and mappings are left away: Kubernetes
    /// does not tell them from absent ones.
    public func scalars(at path: String = "") -> [String: ManifestTree] {
        var scalars: [String: ManifestTree] = [:]
        switch self {
        case .text(let text): if !text.isEmpty { scalars[path] = self }
        case .plain: scalars[path] = self
        case .list(let trees):
            for (index, tree) in trees.enumerated() { scalars.merge(tree.scalars(at: "\(path)[\(index)]")) { $1 } }
        case .fields(let fields):
            for field in fields {
                scalars.merge(field.value.scalars(at: path.isEmpty ? field.name : "\(path).\(field.name)")) { $1 }
            }
        }
        return scalars
    }
}

/// Helpers for what writes a spec: absent values are nil, and empty lists and maps are absent.
extension ManifestTree {
    static func of(_ fields: [(String, ManifestTree?)]) -> ManifestTree {
        .fields(fields.compactMap { name, value in value.map { Field(name, $0) } })
    }

    static func number(_ value: (some BinaryInteger)?) -> ManifestTree? {
        value.map { .plain("\($0)") }
    }

    static func text(_ value: String?) -> ManifestTree? {
        value.map { .text($0) }
    }

    static func duration(_ value: Duration?) -> ManifestTree? {
        value.map { .text(GoDuration.text($0)) }
    }

    static func texts(_ values: [String]) -> ManifestTree? {
        values.isEmpty ? nil : .list(values.map { .text($0) })
    }

    static func map<Value>(_ values: [String: Value], _ tree: (Value) -> ManifestTree?) -> ManifestTree? {
        values.isEmpty ? nil : .of(values.sorted { $0.key < $1.key }.map { ($0.key, tree($0.value)) })
    }

    static func texts(_ values: [String: String]) -> ManifestTree? {
        map(values) { .text($0) }
    }
}
