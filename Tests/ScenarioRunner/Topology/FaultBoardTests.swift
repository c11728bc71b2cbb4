import Experiments
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

@Suite struct FaultBoardTests {
    private let board = FaultBoard()

    private func experiments(_ text: String) throws -> [Experiment] {
        let contents = ManifestLoader.load(text, file: "a.yaml")
        try #require(!contents.experiments.isEmpty, "\(contents.problems)")
        return contents.experiments
    }

    private static let loss = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: NetworkChaos
        metadata: {name: loss}
        spec: {action: loss, mode: all, selector: {}, direction: both, target: {mode: all, selector: {}}, loss: {loss: "80"}}
        """

    private static let workflow = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: Workflow
        metadata: {name: plan}
        spec:
          entry: all
          templates:
            - {name: all, templateType: Serial, children: [one, other]}
            - name: one
              templateType: NetworkChaos
              deadline: 10m
              networkChaos: {action: partition, mode: all, selector: {}}
            - name: other
              templateType: PodChaos
              deadline: 10m
              podChaos: {action: pod-kill, mode: all, selector: {}}
        """

    @Test func aFaultIsOnItFromItsInjectionToItsRemoval() async throws {
        let engine = BoardedEngine(base: FakeEngine(), board: board)
        let loss = try #require(try experiments(Self.loss).first)
        let fault = try await engine.inject(loss, runID: "RUN-1", seed: 1)
        #expect(
            board.inForce == [
                .init(id: "RUN-1", signs: [.init(.loss, "80 %")], direction: .both, places: [.replica("loss")])
            ])
        #expect(try await fault.readings().count == 1 && fault.summary == "loss on everyone")
        try await fault.remove()
        #expect(board.inForce.isEmpty)
    }

    @Test func whatAFailedInjectionLeftIsOnItUntilItIsTakenAway() async throws {
        let engine = BoardedEngine(base: FakeEngine(.init(injection: "it broke", takingBack: "busy")), board: board)
        let loss = try #require(try experiments(Self.loss).first)
        let left = try await #require(throws: FaultLeftBehind.self) {
            try await engine.inject(loss, runID: "RUN-1", seed: 1)
        }
        #expect(board.inForce.map(\.id) == ["RUN-1"] && board.inForce.first?.isLeaving == true)
        try await left.fault.remove()
        #expect(board.inForce.isEmpty)
    }

    @Test func whatWasNeverInForceIsNotOnIt() async throws {
        let engine = BoardedEngine(base: FakeEngine(.init(injection: "it broke")), board: board)
        let loss = try #require(try experiments(Self.loss).first)
        await #expect(throws: FakeEngine.Broken.self) { try await engine.inject(loss, runID: "RUN-1", seed: 1) }
        #expect(board.inForce.isEmpty)
    }

    @Test func theRestOfAWorkflowIsNotOnItYet() async throws {
        let board = board
        let engine = TimelineEngine(
            base: BoardedEngine(base: FakeEngine(), board: board),
            tools: TimelineTools(
                setFailureModes: { _ in }, areModesFollowed: { true }, ask: { _ in 200 }, willEnd: board.ends(_:at:)))
        let workflow = try #require(try experiments(Self.workflow).first)
        let fault = try await engine.inject(workflow, runID: "RUN-1", seed: 1)
        #expect(board.inForce.isEmpty, "nothing of it is in force before its time")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await fault.work { _, _ in } }
            try await eventually("the first part with its end") { board.inForce.first?.endsAt != nil }
            let part = try #require(board.inForce.first)
            #expect(board.inForce.count == 1)
            #expect(part.id == "RUN-1-0-plan.one" && part.signs == [.init(.partition, "cut")])
            let left = try #require(part.endsAt).seconds - UnixTime.now.seconds
            #expect(left > 500 && left <= 600)
            try await fault.remove()
        }
        #expect(board.inForce.isEmpty)
    }
}
