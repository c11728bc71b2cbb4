import Foundation
import Testing

/// What the formatter and the compiler do not see. Each failure says where and what to do.
@Suite struct TidyTests {
    @Test(arguments: Rule.all)
    func theRepositoryKeeps(rule: Rule) throws {
        let files = try Repository.files()
        #expect(files.count { $0.isSwift } > 200 && files.contains { $0.path == "Makefile" }, "the files are found")
        let findings = files.flatMap(rule.findings)
        #expect(findings.isEmpty, "\(findings.joined(separator: "\n"))")
    }

    @Test func everyExecutableDescribesItsAPI() throws {
        let manifest = try String(contentsOf: Repository.root.appending(path: "Package.swift"), encoding: .utf8)
        let folders = ExecutableFolders.of(manifest)
        #expect(folders.count >= 4)
        for folder in folders {
            #expect(
                Repository.exists("\(folder)/openapi.yaml"),
                "\(folder) has no openapi.yaml: describe its endpoints there and embed it as a resource")
        }
    }

    @Test func everyTestTargetHasTests() throws {
        let files = try Repository.files().filter { $0.path.hasPrefix("Tests/") && $0.isSwift }
        let folders = Dictionary(grouping: files) { $0.path.split(separator: "/")[1] }
        for (folder, files) in folders where !["Support", "ServiceTesting"].contains(folder) {
            #expect(
                files.contains { $0.text.contains("@Test") }, "Tests/\(folder) tests nothing: add a test or remove it")
        }
    }
}

extension Rule: CustomTestStringConvertible {
    var testDescription: String { name }
}

/// The folders of the executable products, as Package.swift names them.
enum ExecutableFolders {
    static func of(_ manifest: String) -> [String] {
        manifest.matches(of: #/\.executableTarget\(\s*name: "\w+"[\s\S]*?path: "([^"]+)"/#).map { String($0.1) }
    }
}
