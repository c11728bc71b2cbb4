import Experiments
import Foundation
import Shared

/// How often halt is pressed, and during what.
struct HaltPlan: Sendable {
    var presses = 10
    /// Decides which faults are in force, and when the button is pressed.
    var seed: UInt64
    /// The folder of the four executables that are halted.
    var executables: URL

    /// The short form, or what the environment asks for: `HALT_PRESSES`, `HALT_SEED`, and `HALT_EXECUTABLES`, the folder
    /// of the executables.
    ///
    /// - Parameter environment: nil for the process's own.
    /// - Throws: ``SettingsError`` naming every value that is wrong.
    static func from(environment: [String: String]? = nil) throws -> HaltPlan {
        let reader = SettingsReader(environment: environment)
        let presses = reader.integer("HALT_PRESSES", in: 1...10_000, default: 10)
        let seed = reader.integer("HALT_SEED", in: 0...Int.max, default: Int.random(in: 0...999_999_999))
        let folder = reader.text("HALT_EXECUTABLES", default: LabProcess.executables.path)
        try reader.finish()
        return HaltPlan(
            presses: presses, seed: UInt64(seed),
            executables: URL(fileURLWithPath: folder, relativeTo: LabProcess.repository).absoluteURL)
    }
}

/// One press, as the seed decided it.
struct HaltPress: Sendable {
    let number: Int
    /// One to three that act in different places.
    let faults: [HaltFault]
    /// Whether the button is pressed without waiting until all of them are in force.
    let isEarly: Bool
    /// From the last start, or from the moment when all are in force, to the press.
    let pause: Duration

    /// The first presses go through all faults once, so that the short form meets each of them.
    init(number: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed, purpose: "halt \(number)")
        self.number = number
        let all = HaltFault.all
        let first = all.dropFirst(number * Self.perPress).prefix(Self.perPress)
        faults =
            first.isEmpty
            ? Array(all.shuffled(using: &generator).prefix(.random(in: 1...3, using: &generator))) : Array(first)
        isEarly = first.isEmpty && Int.random(in: 0..<5, using: &generator) == 0
        pause = .milliseconds(Int.random(in: 0...400, using: &generator))
    }

    /// Places that the runner gives.
    private static let perPress = 3
}
