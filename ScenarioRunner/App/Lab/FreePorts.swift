import Foundation
import Sandbox

/// Ports on loopback that are free now. Another program may take one before it is used; the replica that wanted it then
/// says so in its log.
enum FreePorts {
    /// - Throws: ``LabError`` when the machine has no free ports left.
    static func find(_ count: Int) throws -> [Int] {
        do {
            let sockets = try FrontDoorSockets.bind((0..<count).map { ("port-\($0)", 0) })
            defer { sockets.close() }
            return sockets.listeners.map(\.port)
        } catch {
            throw LabError("\(error)")
        }
    }
}
