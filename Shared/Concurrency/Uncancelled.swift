/// Runs `body` to its end although the caller's task is cancelled or its deadline has passed, and returns then.
///
/// For what must be finished once it was begun, or must happen in any case: a charge that was made is written down, stock
/// that was taken for nothing given back, a fault taken away. It is not for work that a stop may cut short, and the body
/// needs limits of its own, for nobody can end it.
///
/// Children of a task share its cancellation, in which no tool starts, no request is sent and no time passes in a sleep.
/// So this is a task of its own; but it is awaited on the spot and never outlives the call, and what follows a task
/// (logger, trace) follows it. All such tasks of the project are made here, which a test sees to.
public func uncancelled<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await RequestDeadline.$current.withValue(nil) {
        await Task { () async -> Result<Value, Failure> in
            do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
        }.value
    }
    return try result.get()
}
