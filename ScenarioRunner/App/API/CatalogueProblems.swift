import Experiments

/// `GET /api/experiments/problems`: what of the experiments' folder does not load, which the list of experiments cannot
/// show.
struct CatalogueProblems: Encodable, Equatable {
    let problems: [FileProblem]

    init(_ catalogue: Catalogue) { problems = catalogue.problems.map(FileProblem.init) }

    /// For whoever starts the runner; nil when all is well.
    static func warning(_ catalogue: Catalogue, folder: String) -> String? {
        guard let first = catalogue.problems.first else { return nil }
        let count = catalogue.problems.count
        return "\(count) problem\(count == 1 ? "" : "s") in the experiments of \(folder); the first: \(first)"
    }
}
