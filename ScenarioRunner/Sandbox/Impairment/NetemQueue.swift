import Experiments
import HeapModule

/// A packet on its way through a ``PathLane``. Its bytes lie in a ``PacketStore``.
struct QueuedPacket: Sendable, Equatable, Comparable {
    let slot: Int
    /// From its IP header on.
    let bytes: Int
    /// When it came, in nanoseconds on the monotonic clock.
    let arrivalNs: Int64
    /// When it may go on.
    fileprivate(set) var dueNs: Int64
    /// Whether a delay was drawn for it: not for one that overtakes, nor where none is asked.
    fileprivate(set) var isDelayed = false
    /// Packets that are due at the same time keep their order.
    fileprivate var order: UInt64 = 0

    init(slot: Int, bytes: Int, arrivalNs: Int64) {
        self.slot = slot
        self.bytes = bytes
        self.arrivalNs = arrivalNs
        dueNs = arrivalNs
    }

    /// The header that a host's own queue counts and a TUN device does not show.
    static let ethernetHeader = 14

    /// What the kernel's queues count.
    var length: Int { bytes + Self.ethernetHeader }

    static func < (left: QueuedPacket, right: QueuedPacket) -> Bool {
        (left.dueNs, left.order) < (right.dueNs, right.order)
    }
}

/// Where the bytes of waiting packets are.
protocol PacketStore {
    /// A second packet with the same bytes; nil when there is no room.
    func copy(_ slot: Int) -> Int?
    /// Turns one bit over.
    func flip(_ slot: Int, byte: Int, bit: Int)
    func release(_ slot: Int)
}

/// netem's queue, in the kernel's order of operations (net/sched/sch_netem.c, `netem_enqueue` and `netem_dequeue`).
///
/// * A copy is judged anew and enters before its original; it is not repeated again.
/// * A packet that is to be repeated and lost goes on once.
/// * One bit of a random byte is turned over. (The kernel's byte may also be the Ethernet header's.)
/// * An overtaking packet goes to the head of the queue; the others wait in the order of their times to go.
/// * With a rate, a packet takes its time after the last one that waits; its own delay runs meanwhile.
///
/// Pure: clock and randomness come from outside.
struct NetemQueue: Sendable {
    /// Packets that may wait: netem's own default.
    static let defaultLimit = 1000

    private let reorderGap: Int
    private let hasDelay: Bool
    private let bytesPerSecond: UInt64?
    private let limit: Int
    private var generator: SeededGenerator
    private(set) var duplicate: RandomShare
    private(set) var loss: RandomShare
    private(set) var corrupt: RandomShare
    private(set) var reorder: RandomShare
    private var delay: DelayDraw
    private var overtaking: [QueuedPacket] = []
    private var waiting = Heap<QueuedPacket>()
    private var sinceOvertaking = 0
    private var entered: UInt64 = 0
    /// Packets that found the queue full.
    private(set) var overLimit: UInt64 = 0
    /// Delays drawn, and their sum; one below 0 is none.
    private(set) var drawn: UInt64 = 0
    private(set) var drawnNs: UInt64 = 0

    init(_ impairment: Impairment, limit: Int = Self.defaultLimit, seed: UInt64) {
        generator = SeededGenerator(seed: seed, purpose: "netem")
        duplicate = RandomShare(impairment.duplicate, using: &generator)
        loss = RandomShare(impairment.loss, using: &generator)
        corrupt = RandomShare(impairment.corrupt, using: &generator)
        reorder = RandomShare(impairment.delay?.reorder?.share, using: &generator)
        delay = DelayDraw(impairment.delay, using: &generator)
        hasDelay = impairment.delay != nil
        reorderGap = impairment.delay?.reorder?.gap ?? 0
        bytesPerSecond = impairment.rateBitsPerSecond.map { $0 / 8 }
        self.limit = limit
    }

    var count: Int { overtaking.count + waiting.count }

    /// When the next packet may go; nil when none waits.
    var nextDueNs: Int64? { overtaking.first?.dueNs ?? waiting.min?.dueNs }

    mutating func enqueue(_ packet: QueuedPacket, nowNs: Int64, in store: some PacketStore) {
        enqueue(packet, isCopy: false, nowNs: nowNs, in: store)
    }

    /// The next packet that is due.
    mutating func dequeue(nowNs: Int64) -> QueuedPacket? {
        if !overtaking.isEmpty { return overtaking.removeFirst() }
        guard let first = waiting.min, first.dueNs <= nowNs else { return nil }
        return waiting.removeMin()
    }

    private mutating func enqueue(_ packet: QueuedPacket, isCopy: Bool, nowNs: Int64, in store: some PacketStore) {
        let isRepeated = !isCopy && duplicate.draws(using: &generator)
        let isLost = loss.draws(using: &generator)
        guard !isLost || isRepeated else { return store.release(packet.slot) }
        var copy: QueuedPacket?
        if isRepeated && !isLost {
            copy = store.copy(packet.slot).map {
                QueuedPacket(slot: $0, bytes: packet.bytes, arrivalNs: packet.arrivalNs)
            }
            if copy == nil { overLimit += 1 }
        }
        if corrupt.draws(using: &generator) {
            let byte = generator.next(below: UInt32(packet.bytes))
            store.flip(packet.slot, byte: Int(byte), bit: Int(generator.next(below: 8)))
        }
        guard count < limit else {
            for dropped in [packet, copy].compactMap({ $0 }) {
                store.release(dropped.slot)
                overLimit += 1
            }
            return
        }
        if let copy { enqueue(copy, isCopy: true, nowNs: nowNs, in: store) }
        place(packet, nowNs: nowNs)
    }

    private mutating func place(_ packet: QueuedPacket, nowNs: Int64) {
        var packet = packet
        if reorderGap > 0, sinceOvertaking >= reorderGap - 1, reorder.draws(using: &generator) {
            sinceOvertaking = 0
            packet.dueNs = nowNs
            overtaking.insert(packet, at: 0)
            return
        }
        var wait = delay.next(using: &generator)
        if hasDelay {
            packet.isDelayed = true
            drawn += 1
            drawnNs += UInt64(max(0, wait))
        }
        var start = nowNs
        if let bytesPerSecond {
            if let last = waiting.max?.dueNs {
                wait = max(0, wait - (last - nowNs))
                start = last
            }
            wait += TokenBucket.timeNs(of: packet.length, bytesPerSecond: bytesPerSecond)
        }
        packet.dueNs = start + wait
        packet.order = entered
        entered += 1
        sinceOvertaking += 1
        waiting.insert(packet)
    }
}
