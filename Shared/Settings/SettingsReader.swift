import Configuration
import Foundation
import Logging

/// Reads a process's settings from its environment, once, before any port is bound, and collects what is wrong with
/// them: a bad value is an error, never a silent default.
///
/// ```
///   environment --(one call a setting)--> values and errors --(finish)--> SettingsError, exit code 78
/// ```
public final class SettingsReader {
    private let reader: ConfigReader
    private var errors: [String] = []

    /// - Parameter environment: nil for the process's own.
    public init(environment: [String: String]? = nil) {
        let provider =
            environment.map { EnvironmentVariablesProvider(environmentVariables: $0) } ?? EnvironmentVariablesProvider()
        reader = ConfigReader(provider: provider)
    }

    public func text(_ name: String, default fallback: String) -> String { lookUp(name) ?? fallback }

    public func optionalText(_ name: String) -> String? { lookUp(name) }

    public func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let text = lookUp(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            reject(name, text, "an integer from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return value
    }

    /// A duration given as a whole number of milliseconds, as the `_MS` in the name says.
    public func milliseconds(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Duration {
        .milliseconds(integer(name, in: range, default: fallback))
    }

    /// One of the cases of an enumeration by its raw value.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let text = lookUp(name) else { return fallback }
        guard let value = Choice(rawValue: text) else {
            reject(name, text, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return fallback
        }
        return value
    }

    /// An `http` or `https` URL without a path; a slash at its end is dropped.
    public func baseURL(_ name: String, default fallback: String) -> String { optionalBaseURL(name) ?? fallback }

    public func optionalBaseURL(_ name: String) -> String? {
        guard let text = lookUp(name) else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false,
            url.user == nil, url.password == nil, (1...65535).contains(url.port ?? 80),
            url.query == nil, url.fragment == nil, url.path.isEmpty || url.path == "/"
        else {
            // What stands before an @ may be a password, which belongs in no log.
            reject(name, text.contains("@") ? "..." : text, "a URL such as http://inventory-service:5003")
            return nil
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// - Throws: ``SettingsError`` naming every setting that is wrong.
    public func finish() throws {
        guard errors.isEmpty else { throw SettingsError(messages: errors) }
    }

    private func lookUp(_ name: String) -> String? {
        reader.string(forKey: ConfigKey(name.lowercased().split(separator: "_").map(String.init)))
    }

    private func reject(_ name: String, _ value: String, _ wanted: String) {
        errors.append("\(name)=\(value): must be \(wanted)")
    }
}

/// Settings that cannot be used. The process says so in one line and exits with 78.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    public let messages: [String]

    public init(messages: [String]) { self.messages = messages }

    public var description: String { "bad configuration: " + messages.joined(separator: "; ") }
}
