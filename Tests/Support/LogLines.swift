import Foundation
import Logging
import Shared
import Synchronization

/// Everything that was logged, as it would have reached standard error.
public final class LogLines: Sendable {
    private let data = Mutex<[Data]>([])

    public init() {}

    public var lines: [Data] { data.withLock { $0 } }

    public var text: String { String(decoding: lines.reduce(Data(), +), as: UTF8.self) }

    public func append(_ line: Data) { data.withLock { $0.append(line) } }

    /// A logger that writes here.
    public func logger(service: String = "test", level: Logger.Level = .trace) -> Logger {
        Logger(label: "test") { _ in
            JSONLogHandler(service: service, level: level) { self.append($0) }
        }
    }
}
