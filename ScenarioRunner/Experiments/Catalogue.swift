import Foundation

/// All experiments of a folder, and what is wrong with the files that do not load.
public struct Catalogue: Sendable, Equatable {
    /// In the order of files and documents; no two have one name.
    public let experiments: [Experiment]
    /// One for each document, file or folder that cannot be used.
    public let problems: [Refusal]

    /// A larger file is refused: a manifest has a few kilobytes.
    static let maximumFileBytes = 256 * 1024
    static let maximumFiles = 200

    /// Reads every `.yaml` and `.yml` of `folder`, not of the folders in it. Never fails: what cannot be read is one of
    /// the ``problems``.
    public static func load(folder: String) -> Catalogue {
        var contents = ManifestLoader.Contents()
        do throws(Refusal) {
            let (paths, problem) = try files(in: folder)
            for path in paths {
                let file = load(file: path)
                contents.experiments += file.experiments
                contents.problems += file.problems
            }
            if let problem { contents.problems.append(problem) }
        } catch {
            contents.problems.append(error)
        }
        return Catalogue(contents)
    }

    /// Reads one manifest file.
    public static func load(file: String) -> ManifestLoader.Contents {
        do throws(Refusal) {
            return ManifestLoader.load(try text(of: file), file: file)
        } catch {
            return .init(problems: [error])
        }
    }

    /// What stands in a file of a person's making.
    package static func text(of file: String) throws(Refusal) -> String {
        func refusal(_ reason: String) -> Refusal { Refusal(file: file, line: 1, field: "", reason: reason) }
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try? handle.read(upToCount: maximumFileBytes + 1) ?? Data()
        else { throw refusal("cannot be read: check its name and its rights") }
        guard data.count <= maximumFileBytes else { throw refusal("is larger than \(maximumFileBytes / 1024) KiB") }
        guard let text = String(data: data, encoding: .utf8) else { throw refusal("is not UTF-8 text") }
        return text
    }

    /// The YAML files of a folder, not of the folders in it, in their order, and how many there are beyond the limit.
    package static func files(in folder: String) throws(Refusal) -> (paths: [String], problem: Refusal?) {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            let reason = "the folder cannot be read: check its name and its rights"
            throw Refusal(file: folder, line: 1, field: "", reason: reason)
        }
        let names = entries.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        let paths = names.prefix(maximumFiles).map { (folder as NSString).appendingPathComponent($0) }
        guard names.count > maximumFiles else { return (paths, nil) }
        let reason = "holds \(names.count) files: only the first \(maximumFiles) are read"
        return (paths, Refusal(file: folder, line: 1, field: "", reason: reason))
    }

    /// Takes the first experiment of each name: commands and the API know experiments by name alone, though Kubernetes
    /// would allow one of each kind.
    init(_ contents: ManifestLoader.Contents) {
        var byName: [String: Experiment] = [:]
        var kept: [Experiment] = []
        var problems = contents.problems
        for experiment in contents.experiments {
            if let first = byName[experiment.name] {
                problems.append(
                    experiment.refusal(
                        "metadata.name",
                        "'\(experiment.name)' is already the name of \(first.file):\(first.line): rename one"))
            } else {
                byName[experiment.name] = experiment
                kept.append(experiment)
            }
        }
        experiments = kept
        self.problems = problems
    }

    /// The experiment of that name; nil when there is none.
    public func experiment(named name: String) -> Experiment? {
        experiments.first { $0.name == name }
    }
}
