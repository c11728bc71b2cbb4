import Yams

/// One mapping of a manifest, read strictly: every answer is checked for its type, every refusal knows its line.
///
/// Nodes with marks are read instead of `Decodable` types, which forget the line of a wrong value and pass over
/// unknown keys without a word.
package struct ManifestFields {
    private let file: String
    /// Where the mapping stands: `spec.loss`; empty for the document itself.
    private let path: String
    private let line: Int
    private let entries: [(key: String, line: Int, node: Node)]
    /// All of it, as it stands.
    package var tree: ManifestTree { .fields(entries.map { .init($0.key, ManifestTree($0.node)) }) }

    init(_ node: Node, path: String, file: String) throws(Refusal) {
        let line = node.mark?.line ?? 1
        guard case .mapping(let mapping) = node else {
            throw Refusal(file: file, line: line, field: path, reason: "must be a mapping of fields")
        }
        var entries: [(key: String, line: Int, node: Node)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw Refusal(file: file, line: line, field: path, reason: "has a key that is not a word")
            }
            entries.append((scalar.string, scalar.mark?.line ?? line, value))
        }
        self.file = file
        self.path = path
        self.line = line
        self.entries = entries
    }

    /// What stands at `key`, as it stands.
    package func tree(_ key: String) -> ManifestTree? { node(key).map { ManifestTree($0) } }

    package var keys: [String] { entries.map(\.key) }

    package func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// A refusal at `key`, or at this mapping when the key is absent.
    package func refusal(_ key: String, _ reason: String) -> Refusal {
        let place = entries.first { $0.key == key }?.line ?? line
        return Refusal(file: file, line: place, field: join(key), reason: reason)
    }

    package func refusal(_ key: String, _ reason: String, line: Int) -> Refusal {
        Refusal(file: file, line: line, field: join(key), reason: reason)
    }

    /// The lines of a text with their numbers in the file: exact for a block (`|`), else all on the first.
    func textLines(_ key: String) throws(Refusal) -> [(line: Int, text: Substring)]? {
        guard let text = try string(key), case .scalar(let scalar) = node(key) else { return nil }
        let first = scalar.mark?.line ?? line
        let isBlock = scalar.style == .literal
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            (isBlock ? first + 1 + index : first, line)
        }
    }

    /// Refuses every key but these: a misspelt field must not be a field that is silently absent.
    package func allow(_ known: [String]) throws(Refusal) {
        for entry in entries where !known.contains(entry.key) {
            throw refusal(entry.key, "unknown field; known here: \(known.sorted().joined(separator: ", "))")
        }
    }

    package func require<Value>(_ key: String, _ value: Value?) throws(Refusal) -> Value {
        guard let value else { throw refusal(key, "is required") }
        return value
    }

    package func string(_ key: String) throws(Refusal) -> String? {
        guard let node = node(key) else { return nil }
        return try string(node, at: key)
    }

    package func strings(_ key: String) throws(Refusal) -> [String] {
        var strings: [String] = []
        for (index, node) in try sequence(key).enumerated() { strings.append(try string(node, at: "\(key)[\(index)]")) }
        return strings
    }

    package func integer(_ key: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let node = node(key) else { return nil }
        guard case .scalar = node, node.tag.rawValue == Tag.Name.int.rawValue, let value = node.int else {
            throw refusal(key, "must be a whole number")
        }
        guard range.contains(value) else {
            throw refusal(key, "must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Whole numbers, each within the range.
    package func integers(_ key: String, in range: ClosedRange<Int>) throws(Refusal) -> [Int] {
        var integers: [Int] = []
        for node in try sequence(key) {
            guard case .scalar = node, node.tag.rawValue == Tag.Name.int.rawValue, let value = node.int,
                range.contains(value)
            else {
                throw refusal(key, "must be a list of whole numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            integers.append(value)
        }
        return integers
    }

    package func bool(_ key: String) throws(Refusal) -> Bool? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let scalar) = node, node.tag.rawValue == Tag.Name.bool.rawValue,
            ["true", "false"].contains(scalar.string)
        else { throw refusal(key, "must be true or false") }
        return scalar.string == "true"
    }

    func stringLists(_ key: String) throws(Refusal) -> [[String]] {
        var lists: [[String]] = []
        for (index, node) in try sequence(key).enumerated() {
            guard case .sequence(let sequence) = node else { throw refusal(key, "must be a list of lists") }
            var list: [String] = []
            for (inner, node) in sequence.enumerated() {
                list.append(try string(node, at: "\(key)[\(index)][\(inner)]"))
            }
            lists.append(list)
        }
        return lists
    }

    package func stringMap(_ key: String) throws(Refusal) -> [String: String] {
        guard let map = try object(key) else { return [:] }
        var result: [String: String] = [:]
        for entry in map.entries { result[entry.key] = try map.string(entry.node, at: entry.key) }
        return result
    }

    func stringsMap(_ key: String) throws(Refusal) -> [String: [String]] {
        guard let map = try object(key) else { return [:] }
        var result: [String: [String]] = [:]
        for key in map.keys { result[key] = try map.strings(key) }
        return result
    }

    package func object(_ key: String) throws(Refusal) -> ManifestFields? {
        guard let node = node(key) else { return nil }
        return try ManifestFields(node, path: join(key), file: file)
    }

    package func objects(_ key: String) throws(Refusal) -> [ManifestFields] {
        var objects: [ManifestFields] = []
        for (index, node) in try sequence(key).enumerated() {
            objects.append(try ManifestFields(node, path: join("\(key)[\(index)]"), file: file))
        }
        return objects
    }

    /// An element of a list in which a word alone may stand for a mapping.
    enum Element {
        case text(String)
        case fields(ManifestFields)
    }

    func elements(_ key: String) throws(Refusal) -> [Element] {
        var elements: [Element] = []
        for (index, node) in try sequence(key).enumerated() {
            if case .scalar = node {
                elements.append(.text(try string(node, at: "\(key)[\(index)]")))
            } else {
                elements.append(.fields(try ManifestFields(node, path: join("\(key)[\(index)]"), file: file)))
            }
        }
        return elements
    }

    /// One of the words of `Choice`.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) throws(Refusal) -> Choice? {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw refusal(key, "'\(text)' is not one of \(words)")
        }
        return choice
    }

    /// A string that `parse` understands.
    package func quantity<Value>(
        _ key: String, _ parse: (String) throws(QuantityError) -> Value
    ) throws(Refusal) -> Value? {
        guard let text = try string(key) else { return nil }
        do throws(QuantityError) {
            return try parse(text)
        } catch {
            throw refusal(key, "'\(text)' \(error.description)")
        }
    }

    /// Strings that `parse` understands.
    package func quantities<Value>(
        _ key: String, _ parse: (String) throws(QuantityError) -> Value
    ) throws(Refusal) -> [Value] {
        var values: [Value] = []
        for (index, node) in try sequence(key).enumerated() {
            let text = try string(node, at: "\(key)[\(index)]")
            do throws(QuantityError) {
                values.append(try parse(text))
            } catch {
                throw Refusal(
                    file: file, line: node.mark?.line ?? line, field: join("\(key)[\(index)]"),
                    reason: "'\(text)' \(error.description)")
            }
        }
        return values
    }

    private func node(_ key: String) -> Node? { entries.first { $0.key == key }?.node }

    private func join(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func sequence(_ key: String) throws(Refusal) -> [Node] {
        guard let node = node(key) else { return [] }
        guard case .sequence(let sequence) = node else { throw refusal(key, "must be a list") }
        return Array(sequence)
    }

    /// Kubernetes refuses a number or a truth value where its schema wants a string, so it is refused here too.
    private func string(_ node: Node, at key: String) throws(Refusal) -> String {
        let place = node.mark?.line ?? line
        guard case .scalar(let scalar) = node, node.tag.rawValue != Tag.Name.null.rawValue else {
            throw Refusal(file: file, line: place, field: join(key), reason: "must be a string")
        }
        guard node.tag.rawValue == Tag.Name.str.rawValue else {
            throw Refusal(
                file: file, line: place, field: join(key),
                reason: "must be a string: write \"\(scalar.string)\" in quotes")
        }
        return scalar.string
    }
}
