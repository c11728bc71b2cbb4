import Glibc

/// Which descriptors the outer process handed to the inner one, written down for the way across `exec`.
///
/// ```
///   outer: pipe, sockets --> encoded --(environment)--> claim --> inner: OuterWatch, FrontDoor
/// ```
public struct InheritedDescriptors: Sendable, Equatable {
    /// The variable in which the inner process finds them. Its presence says "you are inside".
    public static let environmentKey = "PAYMENT_CHAOS_INHERITED"

    /// The read end of the pipe that ends when the outer process does; see ``OuterWatch``.
    public let watch: Int32
    public let listeners: [ListeningSocket]

    public init(watch: Int32, listeners: [ListeningSocket]) {
        self.watch = watch
        self.listeners = listeners
    }

    /// `watch=9,payment@5002=4,runner@8000=5`.
    public var encoded: String {
        (["watch=\(watch)"] + listeners.map { "\($0.name)@\($0.port)=\($0.descriptor)" }).joined(separator: ",")
    }

    /// Nil for anything but the text of ``encoded``.
    public init?(encoded text: String) {
        var watch: Int32?
        var listeners: [ListeningSocket] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = item.split(separator: "=", omittingEmptySubsequences: false)
            guard halves.count == 2, let descriptor = Int32(halves[1]), descriptor > 2 else { return nil }
            let door = halves[0].split(separator: "@", omittingEmptySubsequences: false)
            if door.count == 1, door[0] == "watch", watch == nil {
                watch = descriptor
            } else if door.count == 2, !door[0].isEmpty, let port = Int(door[1]), 1...65535 ~= port {
                listeners.append(ListeningSocket(name: String(door[0]), port: port, descriptor: descriptor))
            } else {
                return nil
            }
        }
        guard let watch else { return nil }
        self.init(watch: watch, listeners: listeners)
    }

    /// What this process inherited, or nil when nobody launched it as an inner process.
    ///
    /// Call it once and first: it makes the descriptors close-on-exec and takes the variable out of the
    /// environment, so that no replica inherits either.
    ///
    /// - Throws: ``InheritanceError`` when the variable is there but does not name open descriptors.
    public static func claim() throws -> InheritedDescriptors? {
        guard let value = getenv(environmentKey).map({ String(cString: $0) }) else { return nil }
        unsetenv(environmentKey)
        guard let inherited = InheritedDescriptors(encoded: value) else { throw InheritanceError(value: value) }
        for descriptor in [inherited.watch] + inherited.listeners.map(\.descriptor)
        where fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 {
            throw InheritanceError(value: value)
        }
        return inherited
    }

    /// The listener of that name, if it was handed over.
    public func listener(_ name: String) -> ListeningSocket? { listeners.first { $0.name == name } }
}

/// The environment names descriptors that this process does not have.
public struct InheritanceError: Error, Sendable, CustomStringConvertible {
    let value: String

    public var description: String {
        "\(InheritedDescriptors.environmentKey)=\(value) names descriptors that are not open here; "
            + "the variable is set by the lab for its own processes and must not be set by hand"
    }
}
