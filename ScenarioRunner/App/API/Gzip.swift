import Foundation

/// The gzip format (RFC 1952), for what is compressed once and sent often.
///
/// ```
///   compress2: | 2 bytes | deflated data | 4 bytes |          (zlib, RFC 1950)
///   gzip:  | 10 bytes    | deflated data | CRC | length |
/// ```
///
/// The work is done by zlib, which libcurl has brought into the process. Its headers are in a package of their own, which
/// the build does not ask for; two plain functions, looked up by name, need none.
enum Gzip {
    private typealias Compress =
        @convention(c) (
            _ target: UnsafeMutablePointer<UInt8>?, _ targetCount: UnsafeMutablePointer<UInt>,
            _ source: UnsafePointer<UInt8>?, _ sourceCount: UInt, _ level: CInt
        ) -> CInt
    private typealias Checksum =
        @convention(c) (
            _ start: UInt, _ bytes: UnsafePointer<UInt8>?, _ count: CUnsignedInt
        ) -> UInt

    /// Nothing is hurried at start-up, where a file takes a millisecond.
    private static let bestCompression: CInt = 9
    /// No name, no time, compressed with care, from an unknown system.
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255]

    /// - Returns: nil where there is no zlib in this process.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let compress: Compress = function("compress2"), let checksum: Checksum = function("crc32") else {
            return nil
        }
        // More than zlib's own bound (`compressBound`), for what cannot be compressed.
        var deflated = [UInt8](repeating: 0, count: bytes.count + bytes.count / 1000 + 64)
        var count = UInt(deflated.count)
        guard compress(&deflated, &count, bytes, UInt(bytes.count), bestCompression) == 0, count > 6 else { return nil }
        return header + deflated[2..<(Int(count) - 4)]
            + littleEndian(UInt32(truncatingIfNeeded: checksum(0, bytes, CUnsignedInt(bytes.count))))
            + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> ($0 * 8) & 0xFF) } }

    /// A C function of a library that is loaded.
    private static func function<Function>(_ name: String) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
    }
}
