import Foundation

/// Runs a replica and its stressors on one processor, where no control group can hold them together.
public struct Pinning: Sendable, Equatable {
    /// The kernel's number of the processor, from 0.
    public let processor: Int

    public init(processor: Int) {
        self.processor = processor
    }

    /// Spreads replicas over the processors that this process may use.
    ///
    /// - Parameter index: the replica's place among all replicas, from 0.
    public init(replica index: Int, among processors: [Int] = Pinning.allowedProcessors()) {
        precondition(!processors.isEmpty, "a process always has a processor")
        processor = processors[index % processors.count]
    }

    /// `command`, run on this processor alone.
    public func enter(_ command: [String]) -> [String] {
        ["/usr/bin/taskset", "--cpu-list", String(processor)] + command
    }

    /// The processors that this process may use, from `/proc/self/status`; processor 0 where that cannot be read.
    public static func allowedProcessors() -> [Int] {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        let list = line?.split(separator: ":").last.map(String.init) ?? ""
        let processors = parse(list: list.trimmingCharacters(in: .whitespaces))
        return processors.isEmpty ? [0] : processors
    }

    /// The kernel's list format: `0-2,5` is 0, 1, 2, 5. Anything else is an empty list.
    static func parse(list: String) -> [Int] {
        var processors: [Int] = []
        for range in list.split(separator: ",") {
            let ends = range.split(separator: "-").map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
                return []
            }
            processors += first...last
        }
        return processors
    }
}
