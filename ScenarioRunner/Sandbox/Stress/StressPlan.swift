import Experiments

/// What a StressChaos comes to on the replicas of this machine: pure arithmetic on limits, memory and disk.
///
/// ```
///   StressLoad, places, machine --> [(StressSpec, targets)] | Excess
/// ```
struct StressPlan {
    /// One replica to be stressed.
    struct Place: Sendable {
        let target: StressFault.Target
        /// Nil where the replica has no limit.
        let memoryLimit: UInt64?

        /// Whether the kernel would stop the workers at that limit.
        var isHeldByKernel: Bool {
            target.placement.limits != nil
        }
    }

    /// In bytes.
    struct Machine: Sendable {
        let totalMemory: UInt64
        let availableMemory: UInt64
        let freeDisk: UInt64

        /// - Throws: `Errno` when the disk under `folder` cannot be asked.
        static func current(diskOf folder: String) throws -> Machine {
            Machine(
                totalMemory: ProcessStat.totalBytes(), availableMemory: ProcessStat.availableBytes(),
                freeDisk: try DiskWork.freeBytes(in: folder))
        }
    }

    /// More than this machine can give without harm to what is not under test.
    struct Excess: Error, Equatable {
        /// The part of the load: `memory.size` or `disk`.
        let field: String
        let reason: String
    }

    struct Part: Sendable, Equatable {
        let spec: StressSpec
        let targets: [StressFault.Target]
    }

    /// The share of the machine's free memory, or disk, that stress may take where no limit of a replica holds it.
    static let largestShare = 0.5

    let machine: Machine
    let dataFolder: String

    /// - Parameter places: at least one.
    func parts(of load: StressLoad, in places: [Place]) throws(Excess) -> [Part] {
        var parts: [Part] = []
        if let cpu = load.cpu {
            parts.append(
                Part(spec: .cpu(workers: cpu.workers, loadPercent: cpu.load), targets: places.map(\.target)))
        }
        if let memory = load.memory { parts += try self.memory(memory, in: places) }
        if let disk = load.disk { parts.append(try self.disk(disk, in: places)) }
        return parts
    }

    /// Replicas of different limits hold different amounts in percent: one part for each amount.
    private func memory(_ memory: StressLoad.Memory, in places: [Place]) throws(Excess) -> [Part] {
        func bytes(_ place: Place) -> UInt64 {
            switch memory.size {
            case .bytes(let bytes): bytes
            case .percent(let percent): (place.memoryLimit ?? machine.totalMemory) / 100 * UInt64(percent)
            // All there is.
            case nil: place.memoryLimit ?? machine.totalMemory
            }
        }
        guard places.allSatisfy({ bytes($0) > 0 }) else {
            throw Excess(field: "memory.size", reason: "holds nothing: give a size above 0")
        }
        let unheld = places.filter { !$0.isHeldByKernel }
        try check(
            unheld.map(bytes), of: machine.availableMemory, "memory", field: "memory.size",
            cause: "no control group limits these replicas")
        return Dictionary(grouping: places, by: bytes).sorted { $0.key < $1.key }.map { bytes, places in
            let spec = StressSpec.memory(
                workers: memory.workers, bytes: bytes, oomScoreAdjustment: memory.oomScoreAdjustment)
            return Part(spec: spec, targets: places.map(\.target))
        }
    }

    private func disk(_ disk: StressLoad.Disk, in places: [Place]) throws(Excess) -> Part {
        try check(
            places.map { _ in disk.bytes }, of: machine.freeDisk, "disk", field: "disk",
            cause: "the replicas' data shares the disk with everything else")
        return Part(
            spec: .disk(workers: disk.workers, bytes: disk.bytes, folder: dataFolder), targets: places.map(\.target))
    }

    private func check(
        _ bytes: [UInt64], of free: UInt64, _ what: String, field: String, cause: String
    ) throws(Excess) {
        // Sizes are below 2^63; a sum of them need not be.
        let asked = bytes.reduce(0.0) { $0 + Double($1) }
        guard asked <= Double(free) * Self.largestShare else {
            let share = Int(Self.largestShare * 100)
            throw Excess(
                field: field,
                reason:
                    "\(Int(asked / 1e6)) MB in all are more than \(share) % of the \(free / 1_000_000) MB of \(what) "
                    + "that are free, and \(cause): ask for less")
        }
    }
}
