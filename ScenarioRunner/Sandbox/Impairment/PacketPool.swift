/// Room for the bytes of all packets that wait, in slots of one size. Memory is taken as it is needed, once: the
/// slot that was freed last is the next.
final class PacketPool: PacketStore {
    /// Packets on the devices are no longer (their MTU).
    static let slotBytes = 1536

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    private var free: [Int] = []
    private var lengths: [Int]
    private var touched = 0

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity * Self.slotBytes, alignment: 64)
        lengths = Array(repeating: 0, count: capacity)
        free.reserveCapacity(capacity)
    }

    deinit { memory.deallocate() }

    /// A slot to be filled; nil when all are taken.
    func take() -> Int? {
        if let slot = free.popLast() { return slot }
        guard touched < capacity else { return nil }
        touched += 1
        return touched - 1
    }

    /// The whole slot.
    func room(_ slot: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory + slot * Self.slotBytes, count: Self.slotBytes)
    }

    func setLength(_ slot: Int, _ bytes: Int) { lengths[slot] = bytes }

    func packet(_ slot: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + slot * Self.slotBytes, count: lengths[slot])
    }

    func copy(_ slot: Int) -> Int? {
        guard let copy = take() else { return nil }
        room(copy).copyMemory(from: packet(slot))
        lengths[copy] = lengths[slot]
        return copy
    }

    func flip(_ slot: Int, byte: Int, bit: Int) { room(slot)[byte] ^= 1 << UInt8(bit) }

    func release(_ slot: Int) { free.append(slot) }
}
