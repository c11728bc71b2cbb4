import Foundation
import Logging
import Synchronization

/// Writes one JSON object a line to standard error: `timestamp`, `level`, `message`, `service`, `trace_id`, and the
/// metadata of the call.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let service: String
    private let write: @Sendable (Data) -> Void

    /// - Parameters:
    ///   - service: the process's name: `payment-service`.
    ///   - write: takes one line with its newline. By default standard error, one `write(2)` a line, so that the lines
    ///     of several threads do not mix.
    public init(
        service: String, level: Logger.Level = .info,
        write: @escaping @Sendable (Data) -> Void = JSONLogHandler.standardError
    ) {
        self.service = service
        self.logLevel = level
        self.write = write
    }

    /// Makes this the handler of every logger of the process. Call it once, in `main`.
    public static func bootstrap(service: String, level: Logger.Level) {
        LoggingSystem.bootstrap { _ in JSONLogHandler(service: service, level: level) }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line: [String: JSONValue] = [:]
        let all =
            metadata
            .merging(metadataProvider?.get() ?? [:]) { $1 }
            .merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all { line[key] = Self.json(value) }
        if let error = event.error { line["error"] = .string("\(error)") }
        line["timestamp"] = .string(Self.timestamp())
        line["level"] = .string(event.level.rawValue)
        line["message"] = .string(event.message.description)
        line["service"] = .string(service)
        if let trace = TraceContext.current { line["trace_id"] = .string(trace.traceID) }
        guard var data = try? Self.encoder.withLock({ try $0.encode(line) }) else { return }
        data.append(UInt8(ascii: "\n"))
        write(data)
    }

    public static let standardError: @Sendable (Data) -> Void = { line in
        line.withUnsafeBytes { bytes in _ = Foundation.write(2, bytes.baseAddress, bytes.count) }
    }

    private static let encoder = Mutex<JSONEncoder>(
        {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return encoder
        }())

    private static func timestamp() -> String {
        Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): number(value) ?? .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values): .object(values.mapValues(json))
        }
    }

    private static func number(_ value: any CustomStringConvertible) -> JSONValue? {
        switch value {
        case let value as Bool: .bool(value)
        case let value as any FixedWidthInteger: Int64(exactly: value).map(JSONValue.integer)
        // By its shortest text, for 0.1 is a longer Decimal; JSON has no infinity and no NaN, which stay texts.
        case let value as Double where value.isFinite: Decimal(string: value.description).map(JSONValue.decimal)
        default: nil
        }
    }
}
