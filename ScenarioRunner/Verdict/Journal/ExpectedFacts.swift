import Experiments

/// What became of the hypothesis.
public struct ExpectedFacts: Codable, Sendable, Equatable {
    public struct Clause: Codable, Sendable, Equatable {
        public enum Outcome: String, Codable, Sendable {
            case held, failed
            /// What it speaks of was not measured.
            case unknown
        }

        /// `success >= 30%`.
        public var text: String
        public var outcome: Outcome
        /// What was measured: `success 97.1%`.
        public var measured: String

        public init(text: String, outcome: Outcome, measured: String) {
            self.text = text
            self.outcome = outcome
            self.measured = measured
        }
    }

    /// In the order of the hypothesis; empty without one.
    public var clauses: [Clause]

    public init(clauses: [Clause] = []) {
        self.clauses = clauses
    }

    init(_ findings: [Hypothesis.Finding]) {
        clauses = findings.map { finding in
            let outcome: Clause.Outcome =
                switch finding.outcome {
                case .held: .held
                case .failed: .failed
                case .unknown: .unknown
                }
            return Clause(text: finding.clause.description, outcome: outcome, measured: finding.measured)
        }
    }
}
