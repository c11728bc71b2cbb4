/// Does something with each element, all at once and each to its end, whatever becomes of the others.
///
/// - Throws: the first error, once everything is done.
public func together<Element: Sendable>(
    _ elements: [Element], _ work: @escaping @Sendable (Element) async throws -> Void
) async throws {
    let failures = await withTaskGroup(of: (any Error)?.self) { group in
        for element in elements {
            group.addTask {
                do {
                    try await work(element)
                    return nil
                } catch {
                    return error
                }
            }
        }
        return await group.reduce(into: [any Error]()) { failures, failure in
            if let failure { failures.append(failure) }
        }
    }
    if let first = failures.first { throw first }
}
