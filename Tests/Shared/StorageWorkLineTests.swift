import Testing

@testable import Shared

@Suite("The line of jobs")
struct StorageWorkLineTests {
    private let start = ContinuousClock.now
    private func after(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("A server is needed for the first jobs only, and again when it has rested")
    func servers() {
        var line = WorkLine<String>(capacity: 10, maximumServers: 2)
        #expect(line.join("a", until: after(1)) == .admitted(ticket: 1, needsServer: true))
        #expect(line.join("b", until: after(1)) == .admitted(ticket: 2, needsServer: true))
        #expect(line.join("c", until: after(1)) == .admitted(ticket: 3, needsServer: false))
        #expect(line.step() == .work)
        #expect(line.take(upTo: 2) == ["a", "b"])
        #expect(line.take(upTo: 2) == ["c"])
        #expect(line.take(upTo: 2) == [])
        #expect(line.step() == .rest)
        #expect(line.join("d", until: after(1)) == .admitted(ticket: 4, needsServer: true))
    }

    @Test("No more than the capacity waits; who leaves or is late makes room")
    func capacity() {
        var line = WorkLine<String>(capacity: 2, maximumServers: 1)
        _ = line.join("a", until: after(1))
        _ = line.join("b", until: after(2))
        #expect(line.join("c", until: after(3)) == .full)
        #expect(line.leave(2) == "b")
        #expect(line.leave(2) == nil)
        #expect(line.join("d", until: after(4)) == .admitted(ticket: 3, needsServer: false))
        #expect(line.nextDeadline == after(1))
        #expect(line.expire(at: start) == [])
        #expect(line.expire(at: after(1)) == ["a"])
        #expect(line.nextDeadline == after(4))
        #expect(line.count == 1)
    }

    @Test("A closed line admits nothing and finishes with its last server")
    func closing() {
        var line = WorkLine<String>(capacity: 10, maximumServers: 2)
        _ = line.join("a", until: after(1))
        _ = line.join("b", until: after(1))
        #expect(line.close() == false)
        #expect(line.join("c", until: after(1)) == .closed)
        #expect(line.step() == .work)
        #expect(line.take(upTo: 5) == ["a", "b"])
        #expect(line.step() == .rest)
        #expect(line.step() == .finish)
        #expect(line.close() == false)
    }

    @Test("Closing an idle line asks for a server, which finishes")
    func closingIdle() {
        var line = WorkLine<String>(capacity: 10, maximumServers: 2)
        #expect(line.close() == true)
        #expect(line.step() == .finish)
    }
}
