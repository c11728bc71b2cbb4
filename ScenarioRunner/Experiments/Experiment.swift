/// Placeholder: replaced by the manifest model.
public struct Experiment: Sendable { public let name: String }
