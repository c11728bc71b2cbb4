import Glibc
import TestSupport

@testable import Sandbox

/// Runs `body` as if on a host of the lab: sockets made in it stay on that host.
///
/// A thread may change its own network namespace; this one ends with the body.
func on<Value: Sendable>(_ host: String, _ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await onThread {
        let handle = open(LabNetwork.namespacePath(of: host), O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw SocketError(call: "open \(host)", code: errno) }
        defer { close(handle) }
        // Swift's import of the C library leaves GNU extensions such as setns out.
        typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "setns") else { throw SocketError(call: "dlsym", code: ENOSYS) }
        let setns = unsafeBitCast(symbol, to: SetNamespace.self)
        let networkNamespace: Int32 = 0x4000_0000
        guard setns(handle, networkNamespace) == 0 else { throw SocketError(call: "setns", code: errno) }
        return try body()
    }
}
