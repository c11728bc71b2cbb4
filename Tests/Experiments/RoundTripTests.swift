import Experiments
import Foundation
import Testing
import Yams

/// YAML to model to YAML loses no field.
@Suite struct RoundTripTests {
    /// Every manifest of the fixtures and of the catalogue, and the samples with all fields.
    private static func texts() throws -> [(name: String, text: String)] {
        var texts = [("network", Samples.network), ("stress", Samples.stress)]
        let repository = FixtureTests.folder.deletingLastPathComponent().deletingLastPathComponent()
        let folders = ["chaos-mesh", "replaced-systems"].map { FixtureTests.folder.appending(path: $0) }
        for folder in folders + [repository.appending(path: "chaos-experiments")] {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
                texts.append((name, try String(contentsOf: folder.appending(path: name), encoding: .utf8)))
            }
        }
        return texts
    }

    /// Nothing but places in files may differ.
    private func isSame(_ left: Experiment, _ right: Experiment) -> Bool {
        left.name == right.name && left.kind == right.kind && left.namespace == right.namespace
            && left.labels == right.labels && left.annotations == right.annotations
            && left.hypothesis == right.hypothesis && left.stopConditions == right.stopConditions
            && left.spec == right.spec
    }

    @Test func everyManifestSurvives() throws {
        var count = 0
        for (name, text) in try Self.texts() {
            for source in try Yams.compose_all(yaml: text) {
                let original = try Yams.serialize(node: source)
                guard let first = ManifestLoader.load(original, file: name).experiments.first else { continue }
                let written = try first.manifest.yaml
                let contents = ManifestLoader.load(written, file: name)
                #expect(contents.problems == [], "\(name)\n\(written)")
                let second = try #require(contents.experiments.first)
                #expect(isSame(first, second), "\(name) \(first.name)")
                #expect(second.manifest == first.manifest)
                try expectEveryScalar(of: source, in: written, name)
                count += 1
            }
        }
        #expect(count >= 32 + 32 + 30)
    }

    /// Each scalar of the source stands at its place in what was written, in the documented spelling.
    private func expectEveryScalar(of source: Node, in written: String, _ name: String) throws {
        let document = try Yams.compose(yaml: written)
        let target = try scalars(try #require(document), at: "")
        for (place, value) in try scalars(source, at: "") where !value.isEmpty {
            let found = target[place] ?? "lost"
            #expect(found == value || spelling(found) == spelling(value), "\(name): \(place) is \(found), was \(value)")
        }
    }

    /// Apart from the model: its own walk over the nodes of the document.
    private func scalars(_ node: Node, at path: String) throws -> [String: String] {
        var result: [String: String] = [:]
        switch node {
        case .scalar(let scalar): result[path] = scalar.string
        case .sequence(let sequence):
            for (index, child) in sequence.enumerated() {
                result.merge(try scalars(child, at: "\(path)[\(index)]")) { $1 }
            }
        case .mapping(let mapping):
            for (key, child) in mapping {
                let name = try #require(key.string)
                result.merge(try scalars(child, at: path + "." + name)) { $1 }
            }
        case .alias: break
        }
        return result
    }

    /// The value without the ways to write it: the same time, size or steps of failure modes.
    private func spelling(_ text: String) -> String {
        if let duration = try? GoDuration.parse(text) { return "\(duration)" }
        if let size = try? MemorySize.parse(text) { return "\(size)" }
        if text.contains("\n") {
            let lines = text.split(separator: "\n").map { $0.prefix { $0 != "#" } }
            return lines.filter { $0.contains { $0 != " " } }.map { line in
                line.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
            }.joined(separator: "\n")
        }
        return text
    }

    /// The fields of the samples, varied: whatever loads survives.
    @Test func whateverLoadsSurvives() throws {
        var generator = SeededGenerator(seed: 11)
        var survived = 0
        for _ in 0..<400 {
            var text = Bool.random(using: &generator) ? Samples.network : Samples.stress
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                text = varied(text, using: &generator)
            }
            guard let first = ManifestLoader.load(text, file: "x").experiments.first else { continue }
            let contents = ManifestLoader.load(try first.manifest.yaml, file: "x")
            #expect(contents.problems == [], "\(text)")
            guard let second = contents.experiments.first else { continue }
            #expect(isSame(first, second), "\(text)")
            survived += 1
        }
        #expect(survived > 100)
    }

    /// Every manifest there is, damaged by a few wrong characters: it is refused with a place, or what was read of it
    /// survives.
    @Test func whatIsLeftOfDamagedManifestsSurvives() throws {
        var generator = SeededGenerator(seed: 12)
        for (name, text) in try Self.texts() {
            for _ in 0..<6 {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    bytes[place] = UInt8.random(in: 32...126, using: &generator)
                }
                let damaged = String(decoding: bytes, as: UTF8.self)
                let contents = ManifestLoader.load(damaged, file: name)
                #expect(contents.experiments.count + contents.problems.count > 0)
                for problem in contents.problems {
                    #expect((0...text.split(separator: "\n").count + 2).contains(problem.line), "\(problem)")
                }
                for first in contents.experiments {
                    let written = ManifestLoader.load(try first.manifest.yaml, file: name)
                    #expect(written.problems == [], "\(first.name) of \(damaged)")
                    if let second = written.experiments.first { #expect(isSame(first, second), "\(damaged)") }
                }
            }
        }
    }

    /// One line left away, or one number changed.
    private func varied(_ text: String, using generator: inout SeededGenerator) -> String {
        var lines = text.split(separator: "\n").map(String.init)
        let index = Int.random(in: 3..<lines.count, using: &generator)
        if Bool.random(using: &generator) {
            lines.remove(at: index)
        } else {
            let number = "\(Int.random(in: 1...99, using: &generator))"
            lines[index] = lines[index].replacing(#/[0-9]+/#, with: number)
        }
        return lines.joined(separator: "\n")
    }

    @Test(arguments: [
        "yes", "No", "on", "y", "null", "~", "", " a", "a ", "1", "1.5", "0x1F", "1e3", "1:30", "2026-11-24", "true",
        "- a",
        "a: b", "#a", "a #b", "*a", "&a", "!a", "%a", "@a", "`a`", "'a'", "\"a\"", "a\\b", "[a]", "{a}", "a,b", "ä€😀",
        "a\nb", "a\nb\n", "a\n\nb\n", " a\nb\n", "a\t b", "a\u{7f}b", "=", "<<", ">", "|", ".5", "+1", "-", "?", "NaN",
        ".inf",
    ])
    func everyTextSurvives(text: String) throws {
        let tree = ManifestTree.fields([
            .init("key", .text(text)), .init("list", .list([.text(text), .plain("1")])), .init("next", .text("a")),
        ])
        let manifest = ManifestLoader.load(
            """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: TimeChaos
            metadata: {name: x}
            spec:
            \(try tree.yaml.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
                .joined(separator: "\n"))
            """, file: "x")
        #expect(manifest.problems == [])
        #expect(manifest.experiments.first?.spec == .other(tree))
    }
}
