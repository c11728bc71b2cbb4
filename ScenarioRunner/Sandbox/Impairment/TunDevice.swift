import Glibc
import SystemPackage

/// The names that a ``PathImpairmentFault`` gives to what it puts on the router.
///
/// ```
///   nft mark --> ip rule: fwmark --> table --> impair-in-7.0 --worker--> impair-out-7 --> forward --> destination
/// ```
enum PathDevices {
    /// Faults at a time, in one lab.
    static let numbers = 1...99
    /// Senders of one fault.
    static let maximumLanes = 32
    /// Every output, in nft's words.
    static let outputs = "impair-out-*"
    static let prefix = "impair-"
    /// Before the main table (32766), after the local one (0): what is for the router itself stays here.
    static let rulePriority = 1000

    static func input(_ number: Int, lane: Int) -> String { "\(prefix)in-\(number).\(lane)" }
    static func output(_ number: Int) -> String { "\(prefix)out-\(number)" }
    /// The packets of one lane, and the routing table that leads them to its device.
    static func mark(_ number: Int, lane: Int) -> Int { 0x5043_0000 + number * maximumLanes + lane }
    static func table(_ number: Int, lane: Int) -> Int { 100_000 + number * maximumLanes + lane }

    /// `iifname "impair-out-*"`, as `nft -j` tells it.
    static var comesFromOutput: NftExpression {
        ["match": ["op": "==", "left": ["meta": ["key": "iifname"]], "right": .text(outputs)]]
    }
}

/// A network device whose packets a process reads and writes (the kernel's Documentation/networking/tuntap.rst).
///
/// It has no offloads, so the kernel cuts large writes into packets and fills their checksums in before they come here.
/// It goes when its descriptor is closed, with the routes through it.
final class TunDevice {
    static let path = "/dev/net/tun"
    private static let setInterface: UInt = 0x4004_54ca
    /// IFF_TUN and IFF_NO_PI: packets begin with their IP header.
    private static let flags: UInt16 = 0x0001 | 0x1000
    /// struct ifreq.
    private static let requestBytes = 40
    private static let longestName = 15

    let descriptor: CInt

    /// - Throws: `Errno`: there is no such device, or no right to it.
    init(name: String) throws {
        precondition(name.utf8.count <= Self.longestName, "the kernel takes no longer name")
        descriptor = open(Self.path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var request = [UInt8](repeating: 0, count: Self.requestBytes)
        request.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        request.withUnsafeMutableBytes {
            $0.storeBytes(of: Self.flags, toByteOffset: Self.longestName + 1, as: UInt16.self)
        }
        // What is whole when its init throws is deinitialized, and closes its descriptor there.
        guard ioctl(descriptor, Self.setInterface, &request) == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// Why packets cannot be led through this process on this machine, and what to do; nil when they can.
    static func obstacle() -> (reason: String, remedy: String)? {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        return ("\(path): \(String(cString: strerror(errno)))", remedy)
    }

    static let remedy = "modprobe tun; in a container, --device \(path)"
}
