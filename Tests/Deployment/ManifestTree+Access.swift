import Yams

@testable import Experiments

/// Reading a tree by names, for which the products have no use.
extension ManifestTree {
    var fields: [Field] { if case .fields(let fields) = self { fields } else { [] } }
    var list: [ManifestTree] { if case .list(let list) = self { list } else { [] } }

    /// A text, or a number or truth value as written.
    var scalar: String? {
        switch self {
        case .text(let text), .plain(let text): text
        case .list, .fields: nil
        }
    }

    var integer: Int? { scalar.flatMap(Int.init) }
    var isNull: Bool { if case .plain(let text) = self { ["null", "~", ""].contains(text) } else { false } }

    subscript(name: String) -> ManifestTree? { fields.first { $0.name == name }?.value }

    /// `spec.template.spec`.
    func at(_ path: String) -> ManifestTree? {
        path.split(separator: ".").reduce(self as ManifestTree?) { tree, name in tree?[String(name)] }
    }

    func text(_ path: String) -> String? { at(path)?.scalar }
    func items(_ path: String) -> [ManifestTree] { at(path)?.list ?? [] }
    func texts(_ path: String) -> [String] { items(path).compactMap(\.scalar) }

    /// A map of texts, as labels are.
    func map(_ path: String) -> [String: String] {
        Dictionary((at(path)?.fields ?? []).map { ($0.name, $0.value.scalar ?? "") }) { $1 }
    }

    var kind: String { text("kind") ?? "" }
    var name: String { text("metadata.name") ?? "" }
    /// `Deployment payment-service`.
    var title: String { "\(kind) \(name)" }

    /// Every document of a YAML text.
    static func documents(_ yaml: String) throws -> [ManifestTree] {
        try Yams.compose_all(yaml: yaml).map { ManifestTree($0) }
    }
}
