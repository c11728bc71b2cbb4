import Experiments
import Glibc
import Shared
import SystemPackage

/// Leads the packets of a path through an ``Impairment``: the code behind the hidden command
/// `scenario-runner path-worker`.
///
/// ```
///   impair-in-7.0 --read--> lane 0 --.
///   impair-in-7.1 --read--> lane 1 --+-- due --write--> impair-out-7
///   standard input: ends --> it returns          standard output: the ledger
/// ```
///
/// One thread, one loop. It stands for the network, which does not wait for the hosts' processors, and so asks for
/// priority where it may.
public struct PathWorker: Sendable {
    /// Packets that may wait in all lanes together: 48 MiB.
    static let poolCapacity = 32_768
    /// Packets read from one device before the others get their turn.
    private static let batch = 64
    private static let priority: CInt = -10

    let number: Int
    let lanes: Int
    let impairment: Impairment
    let seed: UInt64
    let lifetime: Duration
    let lifeline: CInt
    let ledger: CInt

    /// - Parameters:
    ///   - number, lanes: name the devices; see ``PathDevices``.
    ///   - lifetime: it returns after this time whatever happens.
    ///   - lifeline: a descriptor whose end of file ends the work; nothing is ever written to it.
    ///   - ledger: a ``PathLedger``'s descriptor.
    public init(
        number: Int, lanes: Int, impairment: Impairment, seed: UInt64, lifetime: Duration,
        lifeline: CInt = STDIN_FILENO, ledger: CInt = STDOUT_FILENO
    ) {
        self.number = number
        self.lanes = lanes
        self.impairment = impairment
        self.seed = seed
        self.lifetime = lifetime
        self.lifeline = lifeline
        self.ledger = ledger
    }

    /// Works until the lifeline ends or the time is over; what still waits then is dropped, as when netem is taken away.
    /// Blocks its thread: it is a process's only purpose.
    ///
    /// - Throws: `Errno` when there is no ledger, or the devices are not to be had; the ledger then says so too.
    public func run() throws {
        let ledger = try PathLedger(inherited: ledger)
        do {
            let inputs = try (0..<lanes).map { try TunDevice(name: PathDevices.input(number, lane: $0)) }
            let output = try TunDevice(name: PathDevices.output(number))
            setpriority(__priority_which_t(0), 0, Self.priority)
            var loop = PathLoop(
                inputs: inputs.map(\.descriptor), output: output.descriptor, impairment: impairment, seed: seed)
            ledger.setReady()
            loop.run(until: MonotonicClock.now + lifetime.wholeNanoseconds, lifeline: lifeline, ledger: ledger)
            withExtendedLifetime((inputs, output)) {}
        } catch let error as Errno {
            ledger.setFailed(error)
            throw error
        }
    }

    /// The loop's state.
    private struct PathLoop {
        let inputs: [CInt]
        let output: CInt
        var lanes: [PathLane]
        let pool = PacketPool(capacity: PathWorker.poolCapacity)
        /// Where packets are read to for which there is no room.
        let spare: UnsafeMutableRawBufferPointer

        init(inputs: [CInt], output: CInt, impairment: Impairment, seed: UInt64) {
            self.inputs = inputs
            self.output = output
            let now = MonotonicClock.now
            lanes = inputs.indices.map { PathLane(impairment, seed: seed &+ UInt64($0), nowNs: now) }
            spare = .allocate(byteCount: PacketPool.slotBytes, alignment: 64)
        }

        mutating func run(until deadline: Int64, lifeline: CInt, ledger: PathLedger) {
            defer { spare.deallocate() }
            while true {
                let now = MonotonicClock.now
                guard now < deadline else { return }
                var due = deadline
                for lane in lanes { due = min(due, lane.nextDueNs(nowNs: now) ?? deadline) }
                let ready = ReadyDescriptors(inputs, and: lifeline, waitingNs: max(0, due - now))
                if ready.contains(lifeline) { return }
                for lane in lanes.indices {
                    if ready.contains(inputs[lane]) { receive(lane) }
                    send(lane)
                }
                var counters = PathCounters()
                for lane in lanes { counters.add(lane.counters) }
                ledger.publish(counters)
            }
        }

        private mutating func receive(_ lane: Int) {
            for _ in 0..<PathWorker.batch {
                let slot = pool.take()
                let room = slot.map(pool.room) ?? spare
                let count = read(inputs[lane], room.baseAddress, room.count)
                // The kernel itself speaks IPv6 on every device.
                guard count > 0, room[0] >> 4 == 4 else {
                    if let slot { pool.release(slot) }
                    if count > 0 { continue }
                    return
                }
                guard let slot else {
                    lanes[lane].refuse()
                    continue
                }
                pool.setLength(slot, count)
                lanes[lane].arrive(slot: slot, bytes: count, nowNs: MonotonicClock.now, in: pool)
                send(lane)
            }
        }

        private mutating func send(_ lane: Int) {
            while true {
                let now = MonotonicClock.now
                guard let packet = lanes[lane].depart(nowNs: now, in: pool) else { return }
                let bytes = pool.packet(packet.slot)
                let sent = write(output, bytes.baseAddress, bytes.count) == bytes.count
                lanes[lane].left(packet, sent: sent, nowNs: now)
                pool.release(packet.slot)
            }
        }
    }
}

extension MonotonicClock {
    /// What packets are timed with: signed, for differences.
    static var now: Int64 { Int64(nowNs()) }
}

/// The descriptors that can be read: `pselect`, which unlike `poll` waits for less than a millisecond too.
private struct ReadyDescriptors {
    private var set = fd_set()

    /// Waits for one of them, at most so long.
    init(_ descriptors: [CInt], and other: CInt, waitingNs: Int64) {
        var highest = other
        insert(other)
        for descriptor in descriptors {
            insert(descriptor)
            highest = max(highest, descriptor)
        }
        // A longer wait is cut; the caller looks again.
        let wait = min(waitingNs, 1_000_000_000)
        // A timespec as the two words that it is: whether Glibc or Dispatch is the module of its members depends on where
        // the toolchain lies.
        let limit = (Int(wait / 1_000_000_000), Int(wait % 1_000_000_000))
        let ready = withUnsafeBytes(of: limit) { words in
            pselect(highest + 1, &set, nil, nil, words.assumingMemoryBound(to: timespec.self).baseAddress, nil)
        }
        if ready <= 0 { set = fd_set() }
    }

    func contains(_ descriptor: CInt) -> Bool {
        withUnsafeBytes(of: set) { $0[Int(descriptor) / 8] & (1 << UInt8(descriptor % 8)) != 0 }
    }

    private mutating func insert(_ descriptor: CInt) {
        withUnsafeMutableBytes(of: &set) { $0[Int(descriptor) / 8] |= 1 << UInt8(descriptor % 8) }
    }
}
