extension Latch {
    /// Runs `work`, and cancels it when the switch is thrown: for work that a stop must not wait for.
    ///
    /// - Returns: what `work` returned. It may have been done just before it was cancelled.
    /// - Throws: what `work` threw; mostly `CancellationError` once it was cancelled.
    public func cancelling<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            while let first = try await group.next() {
                if let value = first { return value }
                group.cancelAll()
            }
            // The group has a child that returns a value, or throws.
            throw CancellationError()
        }
    }
}
