import Glibc
import SystemPackage

/// The pipe whose end tells the workers that they are done. It ends with this object, or with the process.
final class Lifeline: Sendable {
    let workersEnd: CInt
    private let ownEnd: CInt

    init() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        (workersEnd, ownEnd) = (readEnd.rawValue, writeEnd.rawValue)
        for end in [workersEnd, ownEnd] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        close(workersEnd)
        close(ownEnd)
    }
}
