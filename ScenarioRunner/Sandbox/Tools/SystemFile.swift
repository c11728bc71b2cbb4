import Glibc

/// Small files of the kernel's: /proc, /sys and their like.
enum SystemFile {
    /// No such file is larger; what lies beyond is cut off.
    private static let limit = 1 << 20

    /// The whole text, or nil when it cannot be read.
    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The first line, without its end.
    static func line(_ path: String) -> String? {
        text(path).map { String($0.prefix { !$0.isNewline }) }
    }

    /// Writes `text` over what the file holds, making it where it does not exist.
    ///
    /// - Throws: ``SystemFileError`` with the kernel's reason.
    static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemFileError(path: path, code: errno) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemFileError(path: path, code: errno) }
            rest = rest.dropFirst(count)
        }
    }
}

/// A kernel file that could not be written.
struct SystemFileError: Error, Equatable, CustomStringConvertible {
    let path: String
    /// The `errno` of the call that failed.
    let code: Int32

    var description: String { "\(path) cannot be written: \(String(cString: strerror(code)))" }
}
