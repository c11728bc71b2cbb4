import Experiments
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

/// Real packets through the real router; started by ``NetworkNamespaceTests``.
///
/// Datagrams, not connections: each is one packet, there is no retransmission, and so the counters can be
/// compared with what was sent.
@Suite(.enabled(if: Again.role == "LossInsideTests", "runs inside namespaces, by NetworkNamespaceTests"), .serialized)
struct LossInsideTests {
    private let count = 2000
    private let payment = "10.77.1.1"
    private let inventory = "10.77.2.1"

    init() async throws { try await InsideLab.start() }

    @Test func theShareAskedForIsDropped() async throws {
        let before = try await ruleset()
        let fault = try loss(.to, 8000)
        try await fault.apply()
        try await fault.verify()
        let arrivals = try await send(from: "payment-0", to: "inventory-0", inventory)
        let (asked, dropped) = try await dose(fault, seen: count)
        try await eventually("the arrival of what was not dropped") { arrivals.count == count - dropped }
        try await fault.undo()
        try await fault.undo()

        #expect(asked == 0.8)
        // 99.99 % of fair dice are within 3.89 standard deviations: sqrt(2000 x 0.8 x 0.2) = 17.9.
        #expect(abs(dropped - 1600) <= 70, "\(dropped) of \(count)")
        #expect(try await ruleset() == before)
        try await send(from: "payment-0", to: "inventory-0", inventory, expecting: count)
    }

    @Test(arguments: [(PacketLossFault.Direction.to, 0, 2000), (.from, 2000, 0), (.both, 0, 0)])
    func onlyTheChosenDirectionSuffers(direction: PacketLossFault.Direction, there: Int, back: Int) async throws {
        let before = try await ruleset()
        let fault = try loss(direction, 10_000)
        try await fault.apply()
        try await fault.verify()
        try await send(from: "payment-0", to: "inventory-0", inventory, expecting: there)
        try await send(from: "inventory-0", to: "payment-0", payment, expecting: back)
        // Other pairs do not suffer, nor does what the router itself sends.
        try await send(from: "payment-1", to: "inventory-0", inventory, expecting: count)
        try await send(from: nil, to: "inventory-0", inventory, expecting: count)
        let lost = 2 * count - there - back
        #expect(try await dose(fault, seen: lost).dropped == lost)
        try await fault.undo()
        try await fault.undo()
        #expect(try await ruleset() == before)
        try await send(from: "payment-0", to: "inventory-0", inventory, expecting: count)
        try await send(from: "inventory-0", to: "payment-0", payment, expecting: count)
    }

    @Test func noLossIsCountedAndDropsNothing() async throws {
        let fault = try loss(.both, 0)
        try await fault.apply()
        try await fault.verify()
        try await send(from: "payment-0", to: "inventory-0", inventory, expecting: count)
        #expect(try await dose(fault, seen: count) == (0, 0))
        try await fault.undo()
    }

    @Test func aPacketOnTwoPathsIsJudgedOnce() async throws {
        // Between two of the sources and back is the same packet twice over.
        let fault = try PacketLossFault(
            id: "overlap", sources: [payment, inventory], targets: nil, direction: .both, lossBasisPoints: 5000)
        try await fault.apply()
        try await fault.verify()
        let arrivals = try await send(from: "payment-0", to: "inventory-0", inventory)
        let (_, dropped) = try await dose(fault, seen: count)
        try await eventually("the arrival of what was not dropped") { arrivals.count == count - dropped }
        try await fault.undo()
        // 3.89 x sqrt(2000 x 0.5 x 0.5) = 87; judged twice, 1500 would be dropped.
        #expect(abs(dropped - 1000) <= 87, "\(dropped) of \(count)")
    }

    @Test func applyingAgainReplacesAndCountsAnew() async throws {
        let mild = try loss(.to, 5000)
        try await mild.apply()
        _ = try await send(from: "payment-0", to: "inventory-0", inventory)
        let whole = try loss(.to, 10_000)
        try await whole.apply()
        try await whole.verify()
        await #expect(throws: FaultMismatch.self) { try await mild.verify() }
        #expect(try await dose(whole, seen: 0) == (1, 0))
        try await whole.undo()
    }

    @Test(arguments: [
        "flush chain ip chaos_run_1 lossy", "flush chain ip chaos_run_1 paths",
        "insert rule ip chaos_run_1 lossy accept", "insert rule ip chaos_run_1 paths accept",
    ])
    func rulesChangedByOthersAreNoticed(change: String) async throws {
        let fault = try loss(.both, 8000)
        try await fault.apply()
        try await fault.verify()
        try await CommandLineTool.run("nft", ["-f", "-"], input: change + "\n")
        await #expect(throws: FaultMismatch.self) { try await fault.verify() }
        try await fault.undo()
    }

    @Test func aTableRemovedByOthersIsNoticed() async throws {
        let fault = try loss(.both, 8000)
        try await fault.apply()
        try await CommandLineTool.run("nft", ["delete", "table", "ip", "chaos_run_1"])
        await #expect(throws: FaultVanished.self) { try await fault.verify() }
        await #expect(throws: FaultVanished.self) { _ = try await fault.reading() }
        try await fault.undo()
        try await fault.undo()
    }

    @Test func twoFaultsAreIndependent() async throws {
        let first = try PacketLossFault(
            id: "a", sources: [payment], targets: [inventory], direction: .to, lossBasisPoints: 0)
        let second = try PacketLossFault(
            id: "b", sources: [payment], targets: nil, direction: .to, lossBasisPoints: 10_000)
        try await first.apply()
        try await second.apply()
        try await first.undo()
        try await second.verify()
        try await send(from: "payment-0", to: "inventory-0", inventory, expecting: 0)
        try await second.undo()
    }

    /// Who asks the service is hit, who asks one of its replicas by its own address is not.
    @Test func onlyConnectionsToTheVirtualAddressSuffer() async throws {
        try await TalkingServer.start()
        let before = try await ruleset()
        let service = try PacketEnd(["10.77.100.2"], isVirtual: true, port: TalkingServer.port)
        let fault = try PacketLossFault(
            id: "external", paths: PacketPaths(sources: [payment], ends: [service], direction: .to),
            lossBasisPoints: 10_000)
        try await fault.apply()
        try await fault.verify()
        let isUndone = Mutex(false)
        async let answered = on("payment-0") {
            let bytes = try TalkingServer.ask("10.77.100.2").bytes
            return (bytes, isUndone.withLock { $0 })
        }
        try await eventually("the first packet of the connection is dropped") {
            guard case .packets(_, _, let dropped) = try await fault.reading() else { return false }
            return dropped > 0
        }
        let direct = try await on("payment-0") { try TalkingServer.ask("10.77.2.1").bytes }
        let others = try await on("payment-1") { try TalkingServer.ask("10.77.100.2").bytes }
        #expect(direct == TalkingServer.answerBytes && others == TalkingServer.answerBytes)
        isUndone.withLock { $0 = true }
        try await fault.undo()
        // The next packet of the connection gets through.
        let (bytes, wasUndone) = try await answered
        #expect(bytes == TalkingServer.answerBytes && wasUndone)
        try await fault.undo()
        #expect(try await ruleset() == before)
    }

    @Test func answersOfAVirtualAddressAreKnownToo() async throws {
        try await TalkingServer.start()
        let service = try PacketEnd(["10.77.100.2"], isVirtual: true)
        for (direction, target) in [(PacketPaths.Direction.to, "there"), (.from, "back")] {
            let fault = try PacketLossFault(
                id: target, paths: PacketPaths(sources: [payment], ends: [service], direction: direction),
                lossBasisPoints: 0)
            try await fault.apply()
            try await fault.verify()
            _ = try await on("payment-0") { try TalkingServer.ask("10.77.2.2") }
            _ = try await dose(fault, seen: 0)
            _ = try await on("payment-0") { try TalkingServer.ask("10.77.100.2") }
            guard case .packets(_, let seen, 0) = try await fault.reading() else {
                Issue.record("\(target)")
                return
            }
            #expect(seen >= 2, "\(target)")
            try await fault.undo()
        }
    }

    private func loss(_ direction: PacketLossFault.Direction, _ basisPoints: Int) throws -> PacketLossFault {
        try PacketLossFault(
            id: "run-1", sources: [payment], targets: [inventory], direction: direction, lossBasisPoints: basisPoints)
    }

    /// The reading once the router has seen that many packets. More is a failure, and so is none after all.
    private func dose(_ fault: PacketLossFault, seen expected: Int) async throws -> (asked: Double, dropped: Int) {
        while true {
            guard case .packets(let asked, let seen, let dropped) = try await fault.reading(), seen <= expected else {
                throw SocketError(call: "reading", code: EINVAL)
            }
            if seen == expected { return (asked, Int(dropped)) }
        }
    }

    private func ruleset() async throws -> String {
        try await CommandLineTool.run("nft", ["list", "ruleset"])
    }

    /// Sends ``count`` datagrams from a host (nil: the router), and demands that `expected` of them arrive.
    private func send(
        from sender: String?, to receiver: String, _ address: String, expecting expected: Int,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws {
        let arrivals = try await send(from: sender, to: receiver, address)
        try await eventually("the arrival of \(expected), not \(arrivals.count)", file: file, line: line) {
            arrivals.count == expected
        }
    }

    private func send(from sender: String?, to receiver: String, _ address: String) async throws -> Arrivals {
        let arrivals = Arrivals(on: try await on(receiver) { try TestSocket.bound(SOCK_DGRAM, "0.0.0.0") })
        let count = count
        let connect: @Sendable () throws -> TestSocket = {
            try TestSocket.connected(SOCK_DGRAM, to: address, port: arrivals.port)
        }
        let sending = if let sender { try await on(sender, connect) } else { try await onThread(connect) }
        let router = try await onThread(connect)
        for _ in 0..<(count / Arrivals.window) {
            for _ in 0..<Arrivals.window { try sending.send([Arrivals.sent]) }
            try router.send([Arrivals.pause])
            try await arrivals.pausePassed()
        }
        return arrivals
    }
}

/// Counts datagrams on a thread of its own.
///
/// The sender pauses after each window until a datagram from the router, which no fault touches, has arrived:
/// a socket holds some 270 unread ones, and only the router may lose any.
private final class Arrivals: Sendable {
    static let window = 50
    static let sent: UInt8 = 1
    static let pause: UInt8 = 0

    private let counted = Mutex((sent: 0, pauses: 0))
    private let passed = Mutex(0)
    let port: Int

    var count: Int { counted.withLock { $0.sent } }

    init(on socket: TestSocket) {
        port = socket.port
        BlockingThread.start { [weak self] in
            while let datagram = try? socket.receive(16), let self {
                counted.withLock { if datagram == [Self.sent] { $0.sent += 1 } else { $0.pauses += 1 } }
            }
        }
    }

    func pausePassed() async throws {
        let awaited = passed.withLock { number in
            number += 1
            return number
        }
        try await eventually("pause \(awaited)") { counted.withLock { $0.pauses >= awaited } }
    }
}
