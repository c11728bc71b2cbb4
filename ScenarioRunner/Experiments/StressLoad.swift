/// What a StressChaos comes to in one replica, whichever way its manifest says it.
///
/// Read from the stressors, or from the words of `stressngStressors`, which win when both are there.
public struct StressLoad: Sendable, Equatable {
    public struct CPU: Sendable, Equatable {
        /// Busy workers, 1 to 8192.
        public var workers: Int
        /// Percent of a core that each of them burns, 0 to 100.
        public var load: Int

        public init(workers: Int, load: Int) {
            self.workers = workers
            self.load = load
        }
    }

    public struct Memory: Sendable, Equatable {
        /// Workers, 1 to 8192, which share ``size``.
        public var workers: Int
        /// What they hold together; nil is all there is.
        public var size: MemorySize?
        /// -1000 to 1000.
        public var oomScoreAdjustment: Int

        public init(workers: Int, size: MemorySize?, oomScoreAdjustment: Int = 0) {
            self.workers = workers
            self.size = size
            self.oomScoreAdjustment = oomScoreAdjustment
        }
    }

    public struct Disk: Sendable, Equatable {
        /// Workers, 1 to 8192, each of which writes its share of ``bytes`` to files of its own again and again.
        public var workers: Int
        public var bytes: UInt64

        public init(workers: Int, bytes: UInt64) {
            self.workers = workers
            self.bytes = bytes
        }
    }

    public var cpu: CPU?
    public var memory: Memory?
    public var disk: Disk?

    public init(cpu: CPU? = nil, memory: Memory? = nil, disk: Disk? = nil) {
        self.cpu = cpu
        self.memory = memory
        self.disk = disk
    }
}

extension StressChaosSpec {
    /// - Throws: ``QuantityError`` when `stressngStressors` asks for what is not understood here; it names the option.
    public func resolvedLoad() throws(QuantityError) -> StressLoad {
        if let stressngStressors { return try StressNGWords.load(stressngStressors) }
        return StressLoad(
            cpu: cpu.map { .init(workers: $0.workers, load: $0.load) },
            memory: memory.map {
                .init(workers: $0.workers, size: $0.size, oomScoreAdjustment: $0.oomScoreAdjustment)
            })
    }
}

/// The part of stress-ng's command line that has a meaning here: workers for processors, memory and disks.
///
/// Sizes are stress-ng's: `k`, `m`, `g` are powers of 1024. Its manual says "per worker", but its source divides the
/// size by the workers (`vm_bytes /= args->num_instances`, `hdd_bytes /= ...`).
enum StressNGWords {
    private static let shortNames = ["-c": "--cpu", "-l": "--cpu-load", "-m": "--vm", "-d": "--hdd"]
    private static let defaultMemory = MemorySize.bytes(256 << 20)
    private static let defaultDiskBytes: UInt64 = 1 << 30
    private static let known = ["--cpu", "--cpu-load", "--vm", "--vm-bytes", "--hdd", "--hdd-bytes"]

    static func load(_ text: String) throws(QuantityError) -> StressLoad {
        let options = try options(text)
        var load = StressLoad()
        if let workers = try options["--cpu"].map(workers) {
            load.cpu = .init(workers: workers, load: try options["--cpu-load"].map(percent) ?? 100)
        }
        if let workers = try options["--vm"].map(workers) {
            load.memory = .init(workers: workers, size: try options["--vm-bytes"].map(size) ?? defaultMemory)
        }
        if let workers = try options["--hdd"].map(workers) {
            load.disk = .init(workers: workers, bytes: try options["--hdd-bytes"].map(bytes) ?? defaultDiskBytes)
        }
        for (detail, of) in [("--cpu-load", "--cpu"), ("--vm-bytes", "--vm"), ("--hdd-bytes", "--hdd")]
        where options[detail] != nil && options[of] == nil {
            throw QuantityError("has \(detail) without \(of)")
        }
        guard load != StressLoad() else {
            throw QuantityError("asks for nothing: use \(known.joined(separator: ", "))")
        }
        return load
    }

    /// `--cpu 2` and `--cpu=2` alike.
    private static func options(_ text: String) throws(QuantityError) -> [String: String] {
        var words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }.flatMap { word in
            word.hasPrefix("--") ? word.split(separator: "=", maxSplits: 1) : [word]
        }[...]
        var options: [String: String] = [:]
        while let word = words.popFirst() {
            let name = shortNames[String(word)] ?? String(word)
            guard known.contains(name) else {
                throw QuantityError(
                    "has the option \(word), which is not run here: use \(known.joined(separator: ", "))")
            }
            guard let value = words.popFirst() else { throw QuantityError("has \(word) without its number") }
            guard options.updateValue(String(value), forKey: name) == nil else {
                throw QuantityError("has \(name) twice")
            }
        }
        return options
    }

    private static func workers(_ text: String) throws(QuantityError) -> Int {
        guard let count = Int(text), (1...8192).contains(count) else {
            throw QuantityError("has '\(text)' workers: write 1 to 8192")
        }
        return count
    }

    private static func percent(_ text: String) throws(QuantityError) -> Int {
        guard let percent = Int(text), (0...100).contains(percent) else {
            throw QuantityError("has a load of '\(text)': write 0 to 100")
        }
        return percent
    }

    private static func size(_ text: String) throws(QuantityError) -> MemorySize {
        text.hasSuffix("%") ? try MemorySize.parse(text) : .bytes(try bytes(text))
    }

    private static func bytes(_ text: String) throws(QuantityError) -> UInt64 {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        guard let decimal = DecimalText(number), let shift = units[text.dropFirst(number.count).lowercased()],
            let bytes = decimal.scaled(by: 1 << shift), bytes > 0
        else { throw QuantityError("has a size of '\(text)': write a number with b, k, m or g, such as 32M") }
        return UInt64(bytes)
    }
}
