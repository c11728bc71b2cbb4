import Experiments
import Shared

/// How the objects are named and marked, so that people and ``LeaseSweep`` know them.
public enum ChaosNaming {
    /// On every object of a runner: only those are ever swept.
    public static let ownerLabel = "payment-chaos.io/owner"
    public static let owner = "scenario-runner"
    /// The run that an object belongs to.
    public static let runLabel = "payment-chaos.io/run"
    /// When an object may be swept, in RFC 3339.
    public static let leaseAnnotation = "payment-chaos.io/lease-end"

    /// Chaos Mesh puts names into others of 63 characters, with its own before and after them.
    private static let nameLength = 40
    /// Crockford's base 32 in lower case: nothing in it is misread.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    private static let suffixLength = 8

    /// `packet-loss-80-percent-3f0k9x2m`: the suffix is the run's, so that whoever knows the run knows the name, also
    /// when the answer to its creation was lost. RFC 1123's characters; at most 49 of them.
    ///
    /// - Parameter isReversed: it is the second of a fault's two objects.
    static func name(of experiment: String, runID: String, isReversed: Bool = false) -> String {
        var base = String(experiment.lowercased().map { isAlphanumeric($0) ? $0 : "-" }.prefix(nameLength))
        while base.hasSuffix("-") { base.removeLast() }
        while base.hasPrefix("-") { base.removeFirst() }
        var generator = SeededGenerator(seed: 0, purpose: "\(runID)/\(experiment)\(isReversed ? "/back" : "")")
        let suffix = (0..<suffixLength).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }
        return "\(base.isEmpty ? "chaos" : base)-\(String(suffix))"
    }

    /// As a label's value may be: at most 63 of letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
    static func labelValue(_ text: String) -> String {
        var value = String(text.map { isAlphanumeric($0) || "-_.".contains($0) ? $0 : "-" }.prefix(63))
        while let last = value.last, !isAlphanumeric(last) { value.removeLast() }
        while let first = value.first, !isAlphanumeric(first) { value.removeFirst() }
        return value
    }

    private static func isAlphanumeric(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }

    /// The experiment's own labels, and those by which its object is known.
    static func labels(of experiment: Experiment, runID: String) -> [String: String] {
        experiment.labels.merging([
            "triggered-by": owner, "original-scenario": labelValue(experiment.name),
            "app.kubernetes.io/managed-by": owner, ownerLabel: owner, runLabel: labelValue(runID),
        ]) { $1 }
    }
}
