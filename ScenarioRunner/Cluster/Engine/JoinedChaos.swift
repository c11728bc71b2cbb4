import Experiments

/// One fault that takes several objects, all in force.
final class JoinedChaos: InjectedFault {
    private let parts: [any InjectedFault]

    /// - Parameter parts: at least one.
    init(parts: [any InjectedFault]) { self.parts = parts }

    var summary: String { parts.map(\.summary).joined(separator: "; ") }

    var places: Set<FaultPlan.Place> { parts.reduce(into: []) { $0.formUnion($1.places) } }

    /// None of them has an end of its own.
    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        for part in parts { _ = await part.work(note) }
        return .goesOn
    }

    func readings() async throws -> [DoseReading] {
        var readings: [DoseReading] = []
        for part in parts { readings += try await part.readings() }
        return readings
    }

    /// At once: each may take its time.
    func remove() async throws {
        var failures: [any Error] = []
        await withTaskGroup(of: (any Error)?.self) { group in
            for part in parts {
                group.addTask {
                    do { try await part.remove() } catch { return error }
                    return nil
                }
            }
            for await failure in group { if let failure { failures.append(failure) } }
        }
        if let failure = failures.first { throw failure }
    }
}
