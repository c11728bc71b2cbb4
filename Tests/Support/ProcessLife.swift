import Foundation

/// What the kernel says of a process.
public enum ProcessLife {
    /// Whether it runs; one that has ended and waits to be collected does not.
    public static func isAlive(_ pid: Int32) -> Bool {
        // The state stands behind the name, which is in parentheses and may hold anything.
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let state = stat.split(separator: ")").last?.split(separator: " ").first
        else { return false }
        return state != "Z" && state != "X"
    }
}
