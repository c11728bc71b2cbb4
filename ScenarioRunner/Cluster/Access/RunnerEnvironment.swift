import Foundation

/// How careful the runner is: in production, people wait longer between two experiments.
public enum RunnerEnvironment: String, Sendable, CaseIterable {
    case local
    case production

    /// The setting that decides it: `SCENARIO_RUNNER_ENVIRONMENT`.
    public static let variable = "SCENARIO_RUNNER_ENVIRONMENT"

    /// Words in a namespace's name, between dashes, that say that nothing there is in production.
    private static let localWords: Set<Substring> = ["dev", "development", "lab", "local", "test"]

    /// A bad value of the setting.
    public struct UnknownEnvironment: Error, Equatable, CustomStringConvertible {
        public let value: String

        public var description: String {
            "\(RunnerEnvironment.variable)=\(value): must be local or production"
        }
    }

    /// The minutes between two experiments.
    public var cooldownMinutes: Int {
        switch self {
        case .local: 1
        case .production: 5
        }
    }

    /// The setting, where it is given; else production in a cluster, unless the namespace says otherwise, and local on
    /// one machine.
    ///
    /// - Throws: ``UnknownEnvironment`` for any other value: a misspelt `production` must not mean `local`.
    public static func detect(
        environment: [String: String], cluster: KubernetesEnvironment?
    ) throws(UnknownEnvironment) -> RunnerEnvironment {
        if let value = environment[variable] {
            guard let chosen = RunnerEnvironment(rawValue: value) else { throw UnknownEnvironment(value: value) }
            return chosen
        }
        guard let cluster else { return .local }
        let words = cluster.namespace.split(separator: "-")
        return words.contains(where: localWords.contains) ? .local : .production
    }
}
