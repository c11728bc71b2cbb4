import Foundation
import Load

/// The files of Locust runs in the lab's folder of runs.
///
/// ```
///   LOAD-....json    the run, as the API tells it        LOAD-....log           what Locust said
///   LOAD-....html    Locust's own report                 LOAD-..._stats.csv     and its tables
/// ```
struct LocustFiles: Sendable {
    let folder: LabFolder

    private static let maxPageBytes = 64 * 1024 * 1024
    private static let maxRunBytes = 1024 * 1024

    /// The runs of earlier lives of the runner, oldest first: their ids sort by time.
    func finished() -> [LocustRun] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.runs.path)) ?? []
        let files = names.filter { $0.hasPrefix("LOAD-") && $0.hasSuffix(".json") }.sorted()
        return files.suffix(LocustDesk.maxRemembered).compactMap { name in
            guard let data = read(name, atMost: Self.maxRunBytes),
                let run = try? JSONDecoder().decode(LocustRun.self, from: data), run.state == .finished
            else { return nil }
            return run
        }
    }

    func page(of id: String) -> Data? { read("\(id).html", atMost: Self.maxPageBytes) }

    func write(_ run: LocustRun) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(run).write(to: folder.runs.appendingPathComponent("\(run.id).json"), options: .atomic)
    }

    private func read(_ name: String, atMost limit: Int) -> Data? {
        let file = folder.runs.appendingPathComponent(name)
        guard let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize, size <= limit else { return nil }
        return try? Data(contentsOf: file)
    }
}
