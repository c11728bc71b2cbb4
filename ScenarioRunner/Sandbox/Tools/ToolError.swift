/// Why a kernel tool (`ip`, `nft`, `mount`, ...) did not do what it was asked.
public struct ToolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What became of the tool.
    public enum Outcome: Sendable, Equatable {
        /// It is not installed; `package` is the Debian package that has it, where that is known.
        case missing(package: String?)
        /// It ran and refused, with this exit code.
        case exited(Int32)
        /// It was ended by this signal.
        case signalled(Int32)
        /// It was still running after this time, and was killed.
        case timedOut(Duration)
        /// It could not be started, or said more than the limit allows.
        case failed(String)
    }

    /// The tool's name: `nft`.
    public let tool: String
    /// Its arguments in one line, cut at 200 characters. What goes to standard input is not in it.
    public let arguments: String
    public let outcome: Outcome
    /// What it wrote to standard error, without white space at the ends.
    public let standardError: String

    init(tool: String, arguments: [String], outcome: Outcome, standardError: String = "") {
        self.tool = tool
        self.arguments = String(arguments.joined(separator: " ").prefix(200))
        self.outcome = outcome
        self.standardError = standardError
    }

    /// What to do about it, where that is known.
    public var remedy: String? {
        guard case .missing(let package) = outcome else { return nil }
        return package.map { "install it: apt-get install \($0)" } ?? "install it, or put it on the PATH"
    }

    public var description: String {
        let command = arguments.isEmpty ? tool : "\(tool) \(arguments)"
        let said = standardError.isEmpty ? "" : ": \(standardError)"
        return switch outcome {
        case .missing: "\(tool) is not installed; \(remedy ?? "")"
        case .exited(let code): "\(command) exited with \(code)\(said)"
        case .signalled(let signal): "\(command) was ended by signal \(signal)\(said)"
        case .timedOut(let limit): "\(command) was still running after \(limit)\(said)"
        case .failed(let reason): "\(command): \(reason)"
        }
    }
}
