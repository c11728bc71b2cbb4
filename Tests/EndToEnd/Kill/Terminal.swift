import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// A pseudo-terminal with one command in it, as a window on somebody's desk: what the command prints is read, keys can
/// be typed, and the window can be closed.
final class Terminal: Sendable {
    private struct Window {
        var master: Int32
        var shown = ""
    }

    /// TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)): glibc's functions for them are out of Swift's sight.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    /// Of one command.
    private static let longest = Duration.seconds(90)

    private let window: Mutex<Window>
    private let slave: Int32

    /// - Throws: `Errno` when the machine has no more of them.
    init() throws {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var (locked, number): (Int32, Int32) = (0, 0)
        guard master >= 0, ioctl(master, Self.setLock, &locked) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
            throw Errno(rawValue: errno)
        }
        slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0 else { throw Errno(rawValue: errno) }
        window = Mutex(Window(master: master))
    }

    deinit { close() }

    /// What the command has printed so far.
    var shown: String { window.withLock { $0.shown } }

    /// Types Ctrl-C: the terminal sends SIGINT to the process group in front.
    func interrupt() {
        window.withLock { window in _ = write(window.master, [UInt8(3)], 1) }
    }

    /// Closes the window: the kernel sends SIGHUP to the command, and whatever it prints from now on fails.
    func close() {
        window.withLock { window in
            if window.master >= 0 { _ = Foundation.close(window.master) }
            window.master = -1
        }
    }

    /// Runs `command` as the leader of the terminal's session, and beside it `body`, until both have ended.
    ///
    /// - Parameter body: is given the command's pid; the command is killed when it throws.
    func run(
        _ command: [String], environment: Environment, _ body: @Sendable @escaping (Int32) async throws -> Void
    ) async throws -> TerminationStatus {
        let (slave, end) = (slave, FileDescriptor(rawValue: slave))
        let result = try await Subprocess.run(
            .path("/usr/bin/setsid"), arguments: Arguments(["--ctty"] + command), environment: environment,
            workingDirectory: FilePath(LabProcess.repository.path),
            input: .fileDescriptor(end, closeAfterSpawningProcess: false),
            output: .fileDescriptor(end, closeAfterSpawningProcess: false),
            error: .fileDescriptor(end, closeAfterSpawningProcess: false)
        ) { execution in
            // From now on the command alone has it open: the window's end is the command's.
            _ = Foundation.close(slave)
            return await withTaskGroup(of: (any Error)?.self) { group in
                group.addTask { await self.read() }
                group.addTask {
                    do {
                        try await body(execution.processIdentifier.value)
                        return nil
                    } catch {
                        kill(execution.processIdentifier.value, SIGKILL)
                        return error
                    }
                }
                // The window is read to its end, which comes with the command's.
                var failure: (any Error)?
                for await error in group { failure = failure ?? error }
                return failure
            }
        }
        if let failure = result.closureResult { throw failure }
        return result.terminationStatus
    }

    /// Reads until nobody has the terminal open any more, or it is closed.
    private func read() async -> (any Error)? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = ContinuousClock.now + Self.longest
        while ContinuousClock.now < deadline {
            let (count, code): (Int, Int32) = window.withLock { window in
                guard window.master >= 0 else { return (0, 0) }
                let count = Foundation.read(window.master, &buffer, buffer.count)
                if count > 0 { window.shown += String(decoding: buffer[..<count], as: UTF8.self) }
                return (count, errno)
            }
            guard count > 0 || (count < 0 && code == EAGAIN) else { return nil }
            if count < 0 { try? await Task.sleep(for: .milliseconds(10)) }
        }
        return NotInTime(description: "the terminal is still in use after \(Self.longest): \(shown.suffix(500))")
    }
}
