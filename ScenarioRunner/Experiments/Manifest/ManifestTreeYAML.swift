import Yams

extension ManifestTree {
    /// What stands in a YAML document, with its aliases written out.
    package init(_ node: Node) {
        switch node {
        case .scalar(let scalar):
            self = node.tag.rawValue == Tag.Name.str.rawValue ? .text(scalar.string) : .plain(scalar.string)
        case .sequence(let sequence):
            self = .list(sequence.map { ManifestTree($0) })
        case .mapping(let mapping):
            self = .fields(mapping.map { Field($0.key.string ?? "", ManifestTree($0.value)) })
        case .alias:
            // The composer has put what it stands for in its place.
            self = .plain("null")
        }
    }

    /// As YAML. Texts that a reader of YAML 1.1 or 1.2 could take for something else are put in quotes.
    public var yaml: String {
        get throws { try Yams.serialize(node: node, indent: 2, width: -1, allowUnicode: true) }
    }

    private var node: Node {
        switch self {
        case .text(let text):
            Node.scalar(.init(text, Tag(.str), Self.isPlainText(text) ? .plain : Self.quotes(text)))
        case .plain(let text): Node(text.isEmpty ? "null" : text)
        case .list(let trees): .sequence(.init(trees.map(\.node)))
        case .fields(let fields): .mapping(.init(fields.map { (Node($0.name), $0.value.node) }))
        }
    }

    /// Several lines are easier to read as a block; it keeps them only if no line begins or ends in blanks.
    private static func quotes(_ text: String) -> Node.Scalar.Style {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isBlock =
            lines.count > 1 && text.hasSuffix("\n") && !text.hasPrefix("\n") && !text.hasSuffix("\n\n")
            && text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 }
            && !lines.contains { $0.hasPrefix(" ") || $0.hasSuffix(" ") }
        return isBlock ? .literal : .doubleQuoted
    }

    /// Words that begin with a letter, are no truth value in any version, and hold nothing that YAML reads.
    private static func isPlainText(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, ("a"..."z").contains(first) || ("A"..."Z").contains(first) else {
            return false
        }
        let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        return !words.contains(text.lowercased()) && !text.hasSuffix(" ")
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || " -._/%".unicodeScalars.contains(scalar))
            }
    }
}
