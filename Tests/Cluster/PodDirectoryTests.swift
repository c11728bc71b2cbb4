import Foundation
import ServiceLifecycle
import Shared
import TestSupport
import Testing

@testable import Cluster

/// Pods are followed whatever happens to the watch.
@Suite(.timeLimit(.minutes(1)))
struct PodDirectoryTests {
    /// Runs the directory beside `body`.
    private func following(
        _ standIn: StandIn, timing: ClusterTiming = .quick, _ body: (ChaosCluster) async throws -> Void
    ) async throws {
        try await standIn.withCluster(timing: timing) { cluster in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await cluster.pods.run() }
                try await eventually("the first list") { cluster.pods.snapshot().heardFrom != nil }
                try await body(cluster)
                group.cancelAll()
            }
        }
    }

    private func names(_ cluster: ChaosCluster) -> [String] { cluster.pods.snapshot().pods.map(\.name) }

    private func changes(_ standIn: StandIn, _ cluster: ChaosCluster) async throws {
        try await standIn.putPods([TestPods.pod("late", app: "payment-service")])
        try await eventually("the new pod") { names(cluster).contains("late") }
        try await standIn.putPods([TestPods.pod("late", app: "payment-service", ready: false)])
        try await eventually("its change") {
            cluster.pods.snapshot().pods.first { $0.name == "late" }?.isReady == false
        }
        try await standIn.delete("pods", "late")
        try await eventually("its end") { !names(cluster).contains("late") }
        #expect(names(cluster).count == 7)
    }

    @Test func changesAreFollowed() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await following(standIn) { cluster in
                try await changes(standIn, cluster)
                // Only bookmarks come now, and they are the truth, too.
                let heard = try #require(cluster.pods.snapshot().heardFrom)
                try await eventually("a bookmark") { cluster.pods.snapshot().heardFrom.map { $0 > heard } ?? false }
                let calls = try await standIn.calls()
                #expect(calls.count { $0.verb == "watch" } == 1, "one connection for all of it")
                #expect(calls.allSatisfy { $0.namespace == "payment-chaos" && $0.resource == "pods" })
                #expect(calls.first { $0.verb == "watch" }?.query["allowWatchBookmarks"] == "true")
            }
        }
    }

    @Test func chunksMayPauseInTheMiddleOfAnEvent() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["chunk_pause": .decimal(0.02)])
            try await following(standIn) { try await changes(standIn, $0) }
        }
    }

    @Test func watchesThatEndAreBegunAgainFromThere() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["watch_events": .integer(1)])
            try await following(standIn) { cluster in
                try await changes(standIn, cluster)
                let calls = try await standIn.calls()
                #expect(calls.count { $0.verb == "list" } == 1, "nothing was missed, so nothing is listed again")
                #expect(calls.count { $0.verb == "watch" } >= 3)
            }
        }
    }

    @Test func aHistoryThatIsGoneIsListedAnew() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await following(standIn) { cluster in
                // The watch under way is told by an event; what happened meanwhile is in the list.
                try await standIn.compact()
                try await changes(standIn, cluster)
                #expect(try await standIn.calls().count { $0.verb == "list" } >= 2)
            }
        }
    }

    @Test(arguments: ["close", "garbage", "nonsense", "cut"])
    func brokenWatchesAreBegunAgain(what: String) async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.trouble(what, verb: "watch", times: 4)
            try await following(standIn) { try await changes(standIn, $0) }
        }
    }

    @Test func aSilentWatchIsGivenUp() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["bookmark_seconds": .integer(3600)])
            var timing = ClusterTiming.quick
            timing.watchSilence = .milliseconds(200)
            try await following(standIn, timing: timing) { cluster in
                try await eventually("a second watch") { try await standIn.calls().count { $0.verb == "watch" } > 1 }
                try await changes(standIn, cluster)
            }
        }
    }

    @Test func aServerThatWasAwayIsFoundAgain() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.trouble("status", verb: "list", times: 3, ["code": .integer(500)])
            try await following(standIn) { try await changes(standIn, $0) }
        }
    }

    @Test func whoListensIsToldTheNewest() async throws {
        try await StandIn.run { standIn in
            try await following(standIn) { cluster in
                var changes = cluster.pods.changes.makeAsyncIterator()
                #expect(await changes.next()?.pods.isEmpty == true)
                try await standIn.putPods(TestPods.all)
                while let next = await changes.next(), next.pods.count < 7 {}
                #expect(names(cluster).count == 7)
            }
        }
    }
}
