import Experiments
import Foundation
import Sandbox
import TestSupport
import Testing

/// The fault with its real workers: `scenario-runner stress-worker disk`.
@Suite("Disk stress")
struct DiskStressTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func fault(workers: Int) -> StressFault {
        let places = ["payment-0", "payment-1"].map {
            StressFault.Target(replica: $0, placement: .processor(Pinning(replica: 0)))
        }
        return StressFault(
            id: "run", targets: places, spec: .disk(workers: workers, bytes: 1 << 20, folder: folder.path),
            workerCommand: [LabProcess.runner, "stress-worker"])
    }

    private func reading(_ fault: StressFault) async throws -> DiskReading? {
        guard case .disk(let reading) = try await fault.reading() else { return nil }
        return reading
    }

    /// The workers below this process, by what their command lines end with.
    private func workers() throws -> [Int32] {
        try HostProcesses.all(below: getpid()).filter { pid in
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return String(decoding: command, as: UTF8.self).contains(folder.path) && ProcessLife.isAlive(pid)
        }
    }

    @Test("Every worker syncs until the fault is undone, and nothing is left", .timeLimit(.minutes(2)))
    func bitesAndGoes() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // What a worker killed in its first moment leaves.
        let leftover = folder.appendingPathComponent(".chaos-disk-left")
        #expect(FileManager.default.createFile(atPath: leftover.path, contents: nil))
        let fault = fault(workers: 2)
        try await fault.apply()
        try await fault.verify()
        #expect(try workers().count == 4)
        try await waitUntil("every worker made an fsync", within: .seconds(30)) {
            let reading = try await reading(fault)
            return reading.map { $0.idleWorkers == 0 && $0.bytes > 1 << 20 } ?? false
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try await fault.undo()
        let final = try #require(try await reading(fault))
        #expect(final.workers == 4 && Dose(.disk(final)).effective)
        #expect(try workers().isEmpty)
        try await fault.undo()
        #expect(try await reading(fault) == final)
    }

    @Test("A worker that someone kills is noticed", .timeLimit(.minutes(2)))
    func vanishes() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let fault = fault(workers: 1)
        try await fault.apply()
        kill(try #require(try workers().first), SIGKILL)
        let error = await #expect(throws: FaultVanished.self) {
            try await waitUntil("it is noticed", within: .seconds(20)) {
                _ = try await fault.reading()
                return false
            }
        }
        #expect(error?.description.contains("ended with") == true)
        try await fault.undo()
        #expect(try workers().isEmpty)
    }
}
