import CDispatch
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Sandbox

/// The worker's own code, in threads of this process.
@Suite(.serialized) struct StressWorkerTests {
    /// Runs a worker on a thread of its own.
    ///
    /// - Returns: the processor time of that thread, and the wall time.
    private func run(
        _ job: StressWorker.Job, lifetime: Duration, lifeline: FileDescriptor
    ) async throws -> (cpu: Duration, wall: Duration) {
        let worker = StressWorker(job, lifetime: lifetime, lifeline: lifeline.rawValue)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let start = ContinuousClock.now
                let result = Result { try worker.run() }
                let cpu = ProcessStat.time(on: CLOCK_THREAD_CPUTIME_ID) ?? .zero
                continuation.resume(with: result.map { (cpu, ContinuousClock.now - start) })
            }
        }
    }

    private func withLifeline<Result>(
        _ body: (_ workersEnd: FileDescriptor, _ ownEnd: FileDescriptor) async throws -> Result
    ) async throws -> Result {
        let (workersEnd, ownEnd) = try FileDescriptor.pipe()
        defer { try? workersEnd.close() }
        return try await body(workersEnd, ownEnd)
    }

    @Test func aProcessorWorkerRestsForItsShareAndEndsInTime() async throws {
        try await withLifeline { workersEnd, ownEnd in
            defer { try? ownEnd.close() }
            let half = try await run(.cpu(loadPercent: 50), lifetime: .seconds(1), lifeline: workersEnd)
            #expect(half.wall >= .seconds(1))
            // Never more than asked; less only when others need the processor.
            #expect(half.cpu < .milliseconds(700))
            #expect(half.cpu > .milliseconds(10))
            let none = try await run(.cpu(loadPercent: 0), lifetime: .milliseconds(300), lifeline: workersEnd)
            #expect(none.cpu < .milliseconds(50))
        }
    }

    @Test(arguments: [
        StressWorker.Job.cpu(loadPercent: 30), .memory(bytes: 1 << 20, oomScoreAdjustment: 0),
    ])
    func theEndOfTheLifelineEndsTheWork(job: StressWorker.Job) async throws {
        try await withLifeline { workersEnd, ownEnd in
            try ownEnd.close()
            let ended = try await run(job, lifetime: .seconds(60), lifeline: workersEnd)
            #expect(ended.wall < .seconds(10))
        }
    }

    @Test func aMemoryWorkerHoldsWhatItWasAskedFor() async throws {
        let bytes: UInt64 = 96 << 20
        let before = try #require(ProcessStat.residentBytes(of: getpid()))
        try await withLifeline { workersEnd, ownEnd in
            async let ended = run(
                .memory(bytes: bytes, oomScoreAdjustment: 0), lifetime: .seconds(60), lifeline: workersEnd)
            // The rest of the tests run beside and may give memory back meanwhile.
            try await eventually("memory held") {
                (ProcessStat.residentBytes(of: getpid()) ?? 0) > before + bytes * 3 / 4
            }
            try ownEnd.close()
            _ = try await ended
        }
    }

    @Test func aDiskWorkerWritesAFileThatIsNeverSeenAndNeverGrowsBeyondItsShare() async throws {
        let folder = try TestFolder()
        let tally = try DiskTally()
        let bytes = UInt64(DiskWork.blockBytes) * 2 + 1
        try await withLifeline { workersEnd, ownEnd in
            let work = DiskWork(folder: folder.path, bytes: bytes, worker: 3, tally: tally.descriptor)
            async let ended = run(.disk(work), lifetime: .seconds(60), lifeline: workersEnd)
            try await eventually("the third time around") { tally.count(of: 3).fsyncs >= 7 }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            let path = folder.path
            try await eventually("its file is seen to hold something") { (Self.openFiles(in: path).max() ?? 0) > 0 }
            #expect((Self.openFiles(in: path).max() ?? 0) <= bytes)
            try ownEnd.close()
            _ = try await ended
        }
        let count = tally.count(of: 3)
        // Two blocks and a byte, again and again.
        let rest = [0, UInt64(DiskWork.blockBytes), UInt64(DiskWork.blockBytes) * 2][Int(count.fsyncs % 3)]
        #expect(count.bytes == count.fsyncs / 3 * bytes + rest)
        #expect(tally.count(of: 2) == DiskCount())
        #expect(Self.openFiles(in: folder.path).isEmpty)
    }

    /// The sizes of this process's open files that once had a name in `folder`.
    private static func openFiles(in folder: String) -> [UInt64] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { name in
            let link = "/proc/self/fd/\(name)"
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
                target.hasPrefix(folder)
            else { return nil }
            var status = stat()
            return stat(link, &status) == 0 ? UInt64(status.st_size) : nil
        }
    }

    @Test func onlyWhatDiskWorkersLeftIsSweptAway() throws {
        let folder = try TestFolder()
        for name in [DiskWork.prefix + "1", "payment.sqlite"] {
            #expect(FileManager.default.createFile(atPath: folder.file(name), contents: nil))
        }
        try DiskWork.removeLeftovers(in: folder.path)
        try DiskWork.removeLeftovers(in: folder.path)
        try DiskWork.removeLeftovers(in: folder.file("no-such-folder"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["payment.sqlite"])
    }

    @Test func aDiskThatCannotBeWrittenToIsAnError() async throws {
        let folder = try TestFolder()
        let tally = try DiskTally()
        try await withLifeline { workersEnd, ownEnd in
            defer { try? ownEnd.close() }
            let work = DiskWork(folder: folder.file("none"), bytes: 1, worker: 0, tally: tally.descriptor)
            await #expect(throws: Errno.self) {
                _ = try await run(.disk(work), lifetime: .seconds(60), lifeline: workersEnd)
            }
        }
    }

    @Test func memoryThatIsNotToBeHadIsAnError() async throws {
        try await withLifeline { workersEnd, ownEnd in
            defer { try? ownEnd.close() }
            await #expect(throws: Errno.self) {
                _ = try await run(
                    .memory(bytes: 1 << 62, oomScoreAdjustment: 0), lifetime: .seconds(60), lifeline: workersEnd)
            }
        }
    }
}
