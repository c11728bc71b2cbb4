import Experiments

/// What of a file in a catalogue does not load, as answers say it.
struct FileProblem: Encodable, Equatable {
    let file: String
    /// From 1.
    let line: Int
    /// `spec.delay.latency`; empty where it is the whole file.
    let field: String
    /// What is wrong, and what to do about it.
    let reason: String

    init(_ refusal: Refusal) {
        (file, line, field, reason) = (refusal.file, refusal.line, refusal.field, refusal.reason)
    }
}
