import Foundation

/// A text file of the repository, read as text: the rules of this target see what the compiler and the formatter do not.
struct TextFile: Sendable {
    /// From the root of the repository: `Shared/Model/Money.swift`.
    let path: String
    let text: String

    /// Split at each line feed, by bytes: to Swift, a carriage return before it would be one character with it.
    var lines: [Substring] {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
    }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The lines without comments, numbered from 1. A `//` within a string ends the line too early, which may hide a
    /// mistake behind a URL but never makes one up.
    var code: [(number: Int, text: Substring)] {
        lines.enumerated().map { index, line in
            (index + 1, line.range(of: "//").map { line[..<$0.lowerBound] } ?? line)
        }
    }

    /// What is written in comments, numbered from 1: after `// ` and `/// ` in Swift and JavaScript, after `#` elsewhere.
    var comments: [(number: Int, text: Substring)] {
        let sign = ["swift", "js", "c", "h"].contains(path.split(separator: ".").last.map(String.init)) ? "//" : "#"
        return lines.enumerated().compactMap { index, line in
            line.range(of: sign).map { (index + 1, line[$0.upperBound...]) }
        }
    }
}

enum Repository {
    /// This file is Tests/Tidy/Repository.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every text file that people wrote, without what was built and what a lab left.
    static func files() throws -> [TextFile] {
        let entries = try FileManager.default.contentsOfDirectory(atPath: root.path)
        return try entries.sorted().filter { !$0.hasPrefix(".") || $0 == ".ci" }.flatMap { entry in
            try paths(below: entry).compactMap { path in
                try String(data: Data(contentsOf: root.appending(path: path)), encoding: .utf8)
                    .map { TextFile(path: path, text: $0) }
            }
        }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    private static func paths(below entry: String) throws -> [String] {
        let url = root.appending(path: entry)
        guard try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true else {
            return entry == "Package.resolved" ? [] : [entry]
        }
        return try FileManager.default.subpathsOfDirectory(atPath: url.path).map { "\(entry)/\($0)" }.sorted()
            .filter { try root.appending(path: $0).resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
    }
}
