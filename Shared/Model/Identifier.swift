/// Identifiers that people can read out: a prefix and 26 characters, sortable by the time of their making.
public enum Identifier {
    /// Crockford's base 32: no I, L, O, U, so that nothing is misread.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// `PAY-01JD8Z...`: 48 bits of time in milliseconds and 80 random bits (the layout of a ULID), so that two ids
    /// of one millisecond collide with a probability of 2^-80.
    ///
    /// - Parameters:
    ///   - prefix: `PAY`, `REF`, `RES` or `NOT`.
    ///   - milliseconds: Unix time.
    public static func make(
        prefix: String, milliseconds: Int64, using generator: inout some RandomNumberGenerator
    ) -> String {
        var characters = Array(repeating: UInt8(0), count: 26)
        var time = UInt64(bitPattern: milliseconds) & 0xFFFF_FFFF_FFFF
        for index in stride(from: 9, through: 0, by: -1) {
            characters[index] = alphabet[Int(time & 31)]
            time >>= 5
        }
        for index in 10..<26 { characters[index] = alphabet[Int.random(in: 0..<32, using: &generator)] }
        return "\(prefix)-\(String(decoding: characters, as: UTF8.self))"
    }

    /// An id for now, from the system's random numbers.
    public static func make(prefix: String) -> String {
        make(prefix: prefix, milliseconds: UnixTime.now.milliseconds)
    }

    /// An id of another moment, from the system's random numbers.
    public static func make(prefix: String, milliseconds: Int64) -> String {
        var generator = SystemRandomNumberGenerator()
        return make(prefix: prefix, milliseconds: milliseconds, using: &generator)
    }
}
