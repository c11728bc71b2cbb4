import Experiments

/// `GET /api/experiments/problems`: what of the experiments' folder does not load, which the list of experiments cannot
/// show.
struct CatalogueProblems: Encodable, Equatable {
    struct Problem: Encodable, Equatable {
        let file: String
        /// From 1.
        let line: Int
        /// `spec.delay.latency`; empty where it is the whole file.
        let field: String
        /// What is wrong, and what to do about it.
        let reason: String
    }

    let problems: [Problem]

    init(_ catalogue: Catalogue) {
        problems = catalogue.problems.map {
            Problem(file: $0.file, line: $0.line, field: $0.field, reason: $0.reason)
        }
    }

    /// For whoever starts the runner; nil when all is well.
    static func warning(_ catalogue: Catalogue, folder: String) -> String? {
        guard let first = catalogue.problems.first else { return nil }
        let count = catalogue.problems.count
        return "\(count) problem\(count == 1 ? "" : "s") in the experiments of \(folder); the first: \(first)"
    }
}
