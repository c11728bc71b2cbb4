import Experiments
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ScenarioRunner

/// A folder that is asked often and read seldom.
@Suite(.timeLimit(.minutes(1))) struct ExperimentFolderTests {
    private static func manifest(_ name: String) -> String {
        """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: PodChaos
        metadata: {name: \(name)}
        spec: {action: pod-kill, mode: one, selector: {}}

        """
    }

    private static func write(_ text: String, _ file: URL) throws {
        try Data(text.utf8).write(to: file)
    }

    /// The data of the events until now.
    private static func heard(_ events: AsyncStream<EventHub.Event>, _ hub: EventHub) async -> [String] {
        hub.publish("end", "")
        var heard: [String] = []
        for await event in events {
            if event.name == "end" { break }
            heard.append("\(event.name) \(event.data)")
        }
        return heard
    }

    @Test func whatHasNotChangedIsNotReadAgain() async throws {
        try await withTemporaryFolder { url in
            let examined = Mutex(0)
            let hub = EventHub()
            let events = try #require(hub.subscribe())
            let folder = ExperimentFolder(
                path: url.path,
                refusal: { _ in
                    examined.withLock { $0 += 1 }
                    return nil
                }, events: hub)
            let file = url.appendingPathComponent("1.yaml")
            try Self.write(Self.manifest("kill-a"), file)
            for _ in 0..<200 { #expect(folder.contents.documents.map(\.name) == ["kill-a"]) }
            #expect(examined.withLock { $0 } == 1)

            // Another content of the same length in the same file, as a whole and in place.
            try Self.write(Self.manifest("kill-b"), url.appendingPathComponent("new"))
            #expect(rename(url.appendingPathComponent("new").path, file.path) == 0)
            #expect(folder.contents.documents.map(\.name) == ["kill-b"])
            try await eventually("a change in place") {
                try Self.write(Self.manifest("kill-c"), file)
                return folder.contents.documents.map(\.name) == ["kill-c"]
            }
            try Self.write("a: [", url.appendingPathComponent("2.yaml"))
            #expect(folder.contents.catalogue.problems.count == 1)
            try FileManager.default.removeItem(at: url.appendingPathComponent("2.yaml"))
            #expect(folder.contents.catalogue.problems.isEmpty)
            let told = await Self.heard(events, hub)
            #expect(told.contains(#"experiments {"experiments":1,"problems":1}"#))
            #expect(told.last == #"experiments {"experiments":1,"problems":0}"#)
        }
    }

    @Test func aFolderThatIsNotThereIsAProblemUntilItIs() async throws {
        try await withTemporaryFolder { url in
            let inner = url.appendingPathComponent("inner")
            let folder = ExperimentFolder(path: inner.path, refusal: { _ in nil }, events: EventHub())
            #expect(folder.contents.catalogue.problems.count == 1)
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
            #expect(folder.contents.catalogue.problems.isEmpty)
        }
    }

    @Test func anOpenPageHearsOfAChangeByItself() async throws {
        try await withTemporaryFolder { url in
            let hub = EventHub()
            let events = try #require(hub.subscribe())
            let folder = ExperimentFolder(path: url.path, refusal: { _ in nil }, events: hub)
            #expect(folder.contents.documents.isEmpty)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await folder.run() }
                try Self.write(Self.manifest("kill-a"), url.appendingPathComponent("1.yaml"))
                let first = await events.first { _ in true }
                #expect(first?.name == "experiments" && first?.data == #"{"experiments":1,"problems":0}"#)
                group.cancelAll()
            }
        }
    }
}
