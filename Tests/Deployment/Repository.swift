import Foundation

@testable import Experiments

/// The files of the repository that this target reads.
enum Repository {
    /// This file is Tests/Deployment/Repository.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func documents(_ path: String) throws -> [ManifestTree] { try ManifestTree.documents(text(path)) }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// Every file below a folder whose name ends so, sorted.
    static func files(below folder: String, ending: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path).sorted()
            .filter { $0.hasSuffix(ending) }.map { "\(folder)/\($0)" }
    }
}
