import Hummingbird
import Shared
import Synchronization
import Verdict

/// Questions about the whole system that take a look around: whether its money is right, and whether it has settled.
struct SystemController: Sendable {
    let look: SystemLook
    let checkMoney: @Sendable () async -> MoneyCheck
    private let isChecking = Gate()

    init(look: SystemLook, checkMoney: @escaping @Sendable () async -> MoneyCheck) {
        self.look = look
        self.checkMoney = checkMoney
    }

    var routes: [Route] {
        [
            .get("/api/money-check", check),
            .get("/api/settled") { _, _ in try await settled(tryingChain: false) },
            // A chain leaves a notification behind: no question for GET.
            .post("/api/settled") { _, _ in try await settled(tryingChain: true) },
        ]
    }

    private func settled(tryingChain: Bool) async throws -> Response {
        let complaint = await look.complaint(tryingChain: tryingChain)
        return try .json(Settled(settled: complaint == nil, complaint: complaint))
    }

    /// One at a time: each reads all of the books.
    private func check(_ request: Request, _ context: AppContext) async throws -> Response {
        guard isChecking.enter() else {
            throw Problem.retryLater(.conflict, "The money is being checked already.", seconds: 5)
        }
        defer { isChecking.leave() }
        return try .json(await checkMoney())
    }

    private struct Settled: Encodable {
        let settled: Bool
        let complaint: String?
    }

    /// Lets one in at a time.
    private final class Gate: Sendable {
        private let isTaken = Mutex(false)

        func enter() -> Bool {
            isTaken.withLock { taken in
                defer { taken = true }
                return !taken
            }
        }

        func leave() { isTaken.withLock { $0 = false } }
    }
}
