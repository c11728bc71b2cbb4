import Experiments
import Foundation
import HTTPTypes
import Shared

/// A folder of manifests as a suite. A run names an experiment, and the runner looks for it in its own folder.
struct SuiteFolder: Sendable {
    let path: String

    /// - Throws: ``RefusedRequest`` when the runner's experiments of these names are others than those of the folder,
    ///   ``LabError`` when it does not answer.
    func requireSame(at address: RunnerAddress) async throws {
        let answer = try await RunnerClient(address: address).call(.get, "/api/experiments")
        let others = Self.others(
            Catalogue.load(folder: path).experiments,
            than: try JSONDecoder().decode([ExperimentDocument].self, from: answer)
        )
        guard !others.isEmpty else { return }
        throw RefusedRequest(
            description: "\(path): the runner at \(address.url) runs the manifests of its own folder, where "
                + "\(others.joined(separator: ", ")) \(others.count == 1 ? "is" : "are") not the same or missing; end that "
                + "lab, name another --state, or change the manifests there")
    }

    /// The names of those that the runner has not, or has otherwise.
    static func others(_ ours: [Experiment], than theirs: [ExperimentDocument]) -> [String] {
        let known = Dictionary(theirs.map { ($0.name, $0.manifest) }) { first, _ in first }
        return ours.filter { known[$0.name] != ExperimentDocument($0, refusal: nil).manifest }.map(\.name)
    }
}
