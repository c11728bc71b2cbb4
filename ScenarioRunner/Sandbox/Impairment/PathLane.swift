import Experiments

/// What a path's packets went through, in plain numbers: it lies in memory that two processes share.
///
/// `seen` + repeated - lost - `overLimit` - `unsent` - those that wait = `delivered`.
struct PathCounters: Sendable, Equatable {
    /// Packets that came, without copies.
    var seen: UInt64 = 0
    /// Packets that went on, copies included, and their bytes with Ethernet headers.
    var delivered: UInt64 = 0
    var deliveredBytes: UInt64 = 0
    /// Packets that found a queue full, or were too long for a bucket.
    var overLimit: UInt64 = 0
    /// Packets that the kernel would not take back: damaged in the first four bits.
    var unsent: UInt64 = 0
    var loss = ShareTally()
    var duplicate = ShareTally()
    var corrupt = ShareTally()
    /// Of the packets that might overtake.
    var reorder = ShareTally()
    /// Delays drawn, and their sum.
    var drawn: UInt64 = 0
    var drawnNs: UInt64 = 0
    /// Delayed packets that went on, and the sum of the times that they were here.
    var delayed: UInt64 = 0
    var waitedNs: UInt64 = 0
    /// The sum of the squares of those times.
    var waitedSquaresMs: Double = 0
    /// How much later than due packets left netem's queue, since this process did not run.
    var lateNs: UInt64 = 0
    var latestNs: UInt64 = 0
    /// The most bytes that one sender got through in a second.
    var fullestSecondBytes: UInt64 = 0

    mutating func add(_ other: PathCounters) {
        seen += other.seen
        delivered += other.delivered
        deliveredBytes += other.deliveredBytes
        overLimit += other.overLimit
        unsent += other.unsent
        loss.add(other.loss)
        duplicate.add(other.duplicate)
        corrupt.add(other.corrupt)
        reorder.add(other.reorder)
        drawn += other.drawn
        drawnNs += other.drawnNs
        delayed += other.delayed
        waitedNs += other.waitedNs
        waitedSquaresMs += other.waitedSquaresMs
        lateNs += other.lateNs
        latestNs = max(latestNs, other.latestNs)
        fullestSecondBytes = max(fullestSecondBytes, other.fullestSecondBytes)
    }
}

/// One sender's queue: netem's, and behind it the token bucket where a bandwidth is asked. Chaos Mesh chains them so
/// on a pod's `eth0`.
struct PathLane: Sendable {
    private var netem: NetemQueue
    private var bucket: TokenBucket?
    private var own = PathCounters()
    private var secondStartNs: Int64?
    private var secondBytes: UInt64 = 0

    init(_ impairment: Impairment, seed: UInt64, nowNs: Int64) {
        netem = NetemQueue(impairment, seed: seed)
        bucket = impairment.bandwidth.map { TokenBucket($0, nowNs: nowNs) }
    }

    var counters: PathCounters {
        var counters = own
        counters.overLimit += netem.overLimit
        counters.loss = netem.loss.tally
        counters.duplicate = netem.duplicate.tally
        counters.corrupt = netem.corrupt.tally
        counters.reorder = netem.reorder.tally
        counters.drawn = netem.drawn
        counters.drawnNs = netem.drawnNs
        return counters
    }

    /// A packet of so many bytes came, at least one.
    mutating func arrive(slot: Int, bytes: Int, nowNs: Int64, in store: some PacketStore) {
        own.seen += 1
        let packet = QueuedPacket(slot: slot, bytes: bytes, arrivalNs: nowNs)
        netem.enqueue(packet, nowNs: nowNs, in: store)
    }

    /// A packet came for which there was no room at all.
    mutating func refuse() {
        own.seen += 1
        own.overLimit += 1
    }

    /// The next packet that goes on now. Whoever takes it calls ``left(_:sent:nowNs:)`` and frees its slot.
    mutating func depart(nowNs: Int64, in store: some PacketStore) -> QueuedPacket? {
        while let packet = netem.dequeue(nowNs: nowNs) {
            let late = UInt64(max(0, nowNs - max(packet.dueNs, packet.arrivalNs)))
            own.latestNs = max(own.latestNs, late)
            if packet.isDelayed { own.lateNs += late }
            guard bucket != nil else { return packet }
            if bucket?.enqueue(packet) == false {
                store.release(packet.slot)
                own.overLimit += 1
            }
        }
        return bucket?.dequeue(nowNs: nowNs)
    }

    /// Keeps the books of a packet that ``depart(nowNs:in:)`` gave away.
    mutating func left(_ packet: QueuedPacket, sent: Bool, nowNs: Int64) {
        if packet.isDelayed {
            let waited = UInt64(max(0, nowNs - packet.arrivalNs))
            own.delayed += 1
            own.waitedNs += waited
            let milliseconds = Double(waited) / 1e6
            own.waitedSquaresMs += milliseconds * milliseconds
        }
        guard sent else {
            own.unsent += 1
            return
        }
        own.delivered += 1
        own.deliveredBytes += UInt64(packet.length)
        if nowNs - (secondStartNs ?? .min / 2) >= 1_000_000_000 {
            (secondStartNs, secondBytes) = (nowNs, 0)
        }
        secondBytes += UInt64(packet.length)
        own.fullestSecondBytes = max(own.fullestSecondBytes, secondBytes)
    }

    /// When it next has something to do; nil while it is empty.
    func nextDueNs(nowNs: Int64) -> Int64? {
        let queued = netem.nextDueNs
        guard let shaped = bucket?.nextDueNs(nowNs: nowNs) else { return queued }
        return min(queued ?? shaped, shaped)
    }
}
