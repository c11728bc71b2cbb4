import Foundation

@testable import Experiments

/// What a document may say: a field that a schema does not know, one of another type, and one that is missing are all
/// problems. The files of `Schemas/` tell their form in their heads.
struct Schema: Sendable {
    private struct FieldRule {
        let type: String
        let isRequired: Bool
        let choices: [String]
    }

    private let sections: [String: [String: FieldRule]]

    static let kubernetes = Result { try Schema(file: "kubernetes.txt") }
    static let chaosMesh = Result { try Schema(file: "chaos-mesh.txt") }
    static let tools = Result { try Schema(file: "tools.txt") }

    private init(file: String) throws {
        self.init(try Repository.text("Tests/Deployment/Schemas/\(file)"))
    }

    init(_ text: String) {
        var sections: [String: [String: FieldRule]] = [:]
        var section = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("### ") {
                section = String(line.dropFirst(4))
                sections[section] = [:]
            } else if let field = line.firstMatch(of: /^  ([^\s*]+)(\*?): (\S+)(?: \{enum=(.+)\})?$/)?.output {
                sections[section]?[String(field.1)] = FieldRule(
                    type: String(field.3), isRequired: field.2 == "*",
                    choices: field.4.map { $0.split(separator: "|").map(String.init) } ?? [])
            }
        }
        self.sections = sections
    }

    /// What is wrong with a document, each with its place: `spec.replicas: "three" is no integer`.
    func problems(_ document: ManifestTree) -> [String] {
        let section = "\(document.kind): \(document.text("apiVersion") ?? "")"
        guard sections[section] != nil else { return ["\(document.title): no schema of \(section)"] }
        let body = ManifestTree.fields(document.fields.filter { !["apiVersion", "kind"].contains($0.name) })
        return problems(body, section, at: "").map { "\(document.title): \($0)" }
    }

    /// What is wrong with a tree that a section describes.
    func problems(_ tree: ManifestTree, _ section: String, at path: String) -> [String] {
        guard case .fields(let fields) = tree else { return ["\(path): is no mapping"] }
        let rules = sections[section] ?? [:]
        let names = fields.map(\.name)
        let missing = rules.filter { $0.value.isRequired && !names.contains($0.key) }.keys.sorted()
        let twice = Set(names.filter { name in names.count { $0 == name } > 1 }).sorted()
        return missing.map { "\(join(path, $0)): is missing" } + twice.map { "\(join(path, $0)): is there twice" }
            + fields.flatMap { field -> [String] in
                let place = join(path, field.name)
                guard let rule = rules[field.name] else { return ["\(place): no such field"] }
                return problems(field.value, type: rule.type, rule.choices, at: place)
            }
    }

    private func problems(_ tree: ManifestTree, type: String, _ choices: [String], at path: String) -> [String] {
        if type.hasPrefix("[]") {
            guard case .list(let items) = tree else { return ["\(path): is no list"] }
            return items.enumerated().flatMap { index, item in
                problems(item, type: String(type.dropFirst(2)), choices, at: "\(path)[\(index)]")
            }
        }
        if type.hasPrefix("map[string]") {
            guard case .fields(let fields) = tree else { return ["\(path): is no mapping"] }
            return fields.flatMap { field in
                problems(field.value, type: String(type.dropFirst(11)), choices, at: join(path, field.name))
            }
        }
        if type == "any" { return [] }
        if type.first?.isUppercase == true {
            // "VolumeClaim" is a part; "PersistentVolumeClaim" may be a document within another.
            return problems(tree, sections[type] != nil ? type : embedded(type), at: path)
        }
        guard Self.is(tree, type) else { return ["\(path): \(tree.scalar ?? "a collection") is no \(type)"] }
        guard choices.isEmpty || choices.contains(tree.scalar ?? "") else {
            return ["\(path): \(tree.scalar ?? "") is none of \(choices.joined(separator: ", "))"]
        }
        return []
    }

    private func embedded(_ type: String) -> String { sections.keys.first { $0.hasPrefix("\(type): ") } ?? type }

    private static func `is`(_ tree: ManifestTree, _ type: String) -> Bool {
        switch (type, tree) {
        case ("string", .text): true
        case ("integer", .plain(let text)): Int(text) != nil
        case ("boolean", .plain(let text)): ["true", "false"].contains(text)
        case ("quantity", .text(let text)), ("quantity", .plain(let text)):
            text.wholeMatch(of: /[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?/) != nil
        case ("port", .text(let text)): !text.isEmpty
        case ("port", .plain(let text)): Int(text) != nil
        default: false
        }
    }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
