import Cluster
import Experiments
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// A dose that cannot be read for a moment ends no run; a fault that is gone does.
@Suite struct ReadingPatienceTests {
    private static let lost = ClusterError(.timedOut, "the API server has not answered within 10 s")

    @Test func troubleOfTheWayIsBorneForAWhile() {
        var patience = ReadingPatience()
        let start = ContinuousClock.now
        let early = [0, 14, 15].map { patience.bears(Self.lost, at: start + .seconds($0)) }
        #expect(early == [true, true, false] && patience.isTried)
        patience.succeeded()
        #expect(!patience.isTried)
        let later = patience.bears(Self.lost, at: start + .seconds(20))
        #expect(later, "counted anew")
    }

    @Test func whatSaysSomethingOfTheFaultIsNot() {
        let errors: [any Error] = [
            ClusterError(.notFound, "somebody has deleted it"), ClusterError(.forbidden, "RBAC"), CancellationError(),
        ]
        for error in errors {
            var patience = ReadingPatience()
            let isBorne = patience.bears(error, at: .now)
            #expect(!isBorne, "\(error)")
        }
    }

    @Test(arguments: [(ClusterError.Kind.serverError, Verdict.held), (.notFound, .invalid)])
    func aRunOutlivesTheOneAndNotTheOther(kind: ClusterError.Kind, verdict: Verdict) async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(trouble: (ClusterError(kind, "no reading"), 1)))
        try await RunnerLab.run(options) { lab in
            let view = try lab.manager.start(RunnerLab.request("loss-a", fault: .milliseconds(2500)))
            let journal = try await lab.ended(view.id).journal
            #expect(journal.verdict == verdict, "\(journal.reasons)")
            #expect(journal.events.contains { $0.name == "dose_unreadable" } == (verdict == .held))
        }
    }
}
