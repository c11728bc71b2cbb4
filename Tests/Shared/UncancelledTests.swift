import Shared
import TestSupport
import Testing

struct UncancelledTests {
    private enum Trouble: Error { case trouble }

    @Test func whatHasBegunEndsInACancelledTaskBeforeTheCallDoes() async throws {
        let (begun, goOn) = (Gate(), Gate())
        try await withThrowingTaskGroup(of: [Bool].self) { group in
            group.addTask {
                let isCancelledInside = try await uncancelled {
                    begun.open()
                    // Throws in a cancelled task.
                    try await goOn.wait()
                    return Task.isCancelled
                }
                return [isCancelledInside, Task.isCancelled]
            }
            try await begun.wait()
            group.cancelAll()
            goOn.open()
            #expect(try await group.next() == [false, true])
        }
    }

    @Test func aTaskThatIsCancelledAlreadyBeginsIt() async throws {
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                return await uncancelled { Task.isCancelled ? 0 : 1 }
            }
            #expect(await group.next() == 1)
        }
    }

    @Test func theCallersDeadlineDoesNotReachIt() async {
        await RequestDeadline.$current.withValue(RequestDeadline(after: .zero)) {
            #expect(await uncancelled { RequestDeadline.current == nil })
            #expect(RequestDeadline.current != nil)
        }
    }

    @Test func itsErrorIsTheCallers() async {
        await #expect(throws: Trouble.trouble) { try await uncancelled { throw Trouble.trouble } }
        do throws(Trouble) {
            try await uncancelled { () async throws(Trouble) in throw Trouble.trouble }
        } catch { #expect(error == .trouble) }
    }
}
