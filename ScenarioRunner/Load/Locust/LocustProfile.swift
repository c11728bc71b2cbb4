import Foundation

/// One file of Python that says what users do: a Locust file.
public struct LocustProfile: Sendable, Equatable {
    /// `shopper.py`, by which it is asked for.
    public let name: String
    /// The first line of its docstring; the name where it has none.
    public let description: String
    /// The classes of users that it defines, in its order.
    public let userClasses: [String]
    /// Where it lies, every link resolved.
    public let path: String
}

extension LocustProfile {
    /// - Parameter source: the beginning of the file is enough.
    init(name: String, path: String, source: String) {
        self.name = name
        self.path = path
        description = Self.docstring(of: source) ?? name
        userClasses = source.matches(of: #/(?m)^class +(\w+)\([^)\n]*User\b[^)\n]*\) *:/#).map { String($0.1) }
    }

    private static func docstring(of source: String) -> String? {
        guard let match = source.prefixMatch(of: #/(?:\s|#[^\n]*\n)*("""|''')\s*([^\n]*)/#) else { return nil }
        let line = String(match.2).components(separatedBy: String(match.1))[0].trimmingCharacters(in: .whitespaces)
        return line.isEmpty ? nil : String(line.prefix(200))
    }
}

/// The Locust files of a folder, read anew at every question, so that a new file counts at once.
///
/// A profile is a regular file `NAME.py` of letters, digits, `-`, `_` and `.`. What begins with `_` or `.` is for the
/// profiles to import and is none itself.
public struct LocustCatalogue: Sendable {
    /// More files are not listed.
    public static let maxProfiles = 200
    /// Of each file, read for its description.
    private static let maxBytes = 64 * 1024

    private let folder: URL

    public init(folder: String) { self.folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath() }

    /// Sorted by name; none where the folder cannot be read.
    public var profiles: [LocustProfile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return Array(names.sorted().lazy.compactMap { profile(named: $0) }.prefix(Self.maxProfiles))
    }

    /// Nil for a name that is none, and for what is no regular file of this very folder, whatever a link says.
    public func profile(named name: String) -> LocustProfile? {
        guard Self.isName(name) else { return nil }
        let file = folder.appendingPathComponent(name).resolvingSymlinksInPath()
        guard file.deletingLastPathComponent().path == folder.path,
            (try? file.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true,
            let handle = try? FileHandle(forReadingFrom: file)
        else { return nil }
        let data = try? handle.read(upToCount: Self.maxBytes)
        return LocustProfile(name: name, path: file.path, source: String(decoding: data ?? Data(), as: UTF8.self))
    }

    static func isName(_ text: String) -> Bool {
        text.utf8.count <= 100 && text.wholeMatch(of: #/[A-Za-z0-9][A-Za-z0-9_.\-]*\.py/#) != nil
    }
}
