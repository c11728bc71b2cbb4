import Shared

/// Runs `body` to its end although the caller's task is cancelled or its deadline has passed: a charge that was made
/// must be written down, and stock that was taken for nothing given back. The body needs limits of its own.
///
/// This is the one task that is not a child of its caller, for children share its cancellation. It is awaited on the
/// spot, so it never outlives the call.
func uncancelled<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await RequestDeadline.$current.withValue(nil) {
        try await Task { try await body() }.value
    }
}
