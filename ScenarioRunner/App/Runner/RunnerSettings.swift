import Foundation

/// What the runner is told wherever it runs.
struct RunnerSettings: Sendable {
    /// Where journals, reports and Locust's files are kept.
    let folder: LabFolder
    /// Chaos Mesh manifests.
    let experimentsFolder: String
    let profilesFolder: String
    let locust: LocustSettings
    /// Between two experiments: 60 locally, 300 in production.
    let cooldownSeconds: Int
    /// Whether faults may touch every replica of every service at once.
    let allowTotal: Bool
    /// Whether one that starts anew is still halted.
    var remembersHalt = false
    /// Decides every draw of the failure modes.
    let seed: UInt64
}
