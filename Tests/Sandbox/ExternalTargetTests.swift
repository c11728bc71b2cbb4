import Experiments
import Foundation
import Logging
import Testing

@testable import Sandbox

/// What an external target is in the lab, as rules and as places; real packets are in the suites inside namespaces.
@Suite struct ExternalTargetTests {
    private static let topology = LabTopology(payment: 2, inventory: 2, notification: 1)

    private func reach(_ text: String) throws -> ReachedTarget {
        try Self.topology.reach(ExternalTarget.parse(text))
    }

    @Test(
        arguments: [
            ("notification-service", ["10.77.100.3"], true, nil, ["notification-0"]),
            ("Notification-Service", ["10.77.100.3"], true, nil, ["notification-0"]),
            (
                "inventory-service.payment-chaos.svc.cluster.local:5003", ["10.77.100.2:5003"], true, 5003,
                [
                    "inventory-0", "inventory-1",
                ]
            ),
            ("10.77.100.2", ["10.77.100.2"], true, nil, ["inventory-0", "inventory-1"]),
            ("inventory-1", ["10.77.2.2"], false, nil, ["inventory-1"]),
            ("10.77.2.2:5003", ["10.77.2.2:5003"], false, 5003, ["inventory-1"]),
            ("10.77.2.0/24", ["10.77.2.1", "10.77.2.2"], false, nil, ["inventory-0", "inventory-1"]),
            ("client", ["10.77.0.2"], false, nil, ["client"]),
        ] as [(String, [String], Bool, Int?, [String])])
    func aTargetIsAnAddressOfTheLab(text: String, ends: [String], isVirtual: Bool, port: Int?, hosts: [String]) throws {
        let reached = try reach(text)
        #expect(reached.hosts == hosts)
        #expect(reached.ends.map(\.text) == [ends.joined(separator: ",")])
        #expect(reached.ends.map(\.isVirtual) == [isVirtual] && reached.ends.map(\.port) == [port])
    }

    @Test func aNetworkMayHoldHostsAndServices() throws {
        let all = try reach("0.0.0.0/0")
        #expect(all.ends.map(\.isVirtual) == [false, true])
        #expect(all.ends.map(\.addresses.count) == [6, 3], "the router is not among them")
        #expect(all.hosts == Self.topology.hosts.map(\.name))
        let payments = try reach("10.77.0.0/16:5002")
        #expect(payments.ends.map(\.text) == ["10.77.1.1:5002,10.77.1.2:5002", "10.77.100.1:5002"])
    }

    @Test(arguments: [
        ("8.8.8.8", "sealed"), ("10.76.0.0/16", "sealed"), ("example.com", "sealed"), ("127.0.0.1", "sealed"),
        ("localhost:5002", "sealed"), ("scenario-runner", "spared"), ("10.77.0.1:8000", "spared"),
        ("notification-service:5002", "serves 5004"), ("10.77.2.0/24:80", "serves 5003"), ("client:80", "serves none"),
    ])
    func whatNoPacketReachesIsRefused(text: String, word: String) throws {
        let error = try #require(throws: UnreachableTarget.self) { try reach(text) }
        #expect(error.reason.contains(word), "\(error.reason)")
    }

    // MARK: Rules

    @Test func packetsToAVirtualAddressAreKnownByTheirConnection() throws {
        let ends = try [PacketEnd(["10.77.2.1"]), PacketEnd(["10.77.100.3"], isVirtual: true, port: 5004)]
        let paths = try PacketPaths(sources: ["10.77.1.2", "10.77.1.1"], ends: ends, direction: .both)
        #expect(
            paths.paths.map(\.text) == [
                "ip saddr { 10.77.1.1, 10.77.1.2 } ip daddr 10.77.2.1",
                "ip saddr { 10.77.1.1, 10.77.1.2 } ct direction original ct original ip daddr 10.77.100.3 "
                    + "tcp dport 5004",
                "ip saddr 10.77.2.1 ip daddr { 10.77.1.1, 10.77.1.2 }",
                "ct direction reply ct original ip daddr 10.77.100.3 tcp sport 5004 "
                    + "ip daddr { 10.77.1.1, 10.77.1.2 }",
            ])
        #expect(paths.text == "10.77.1.1,10.77.1.2 <-> 10.77.2.1,10.77.100.3:5004")
        #expect(
            paths.paths[1].matches.dropFirst() == [
                ["match": ["op": "==", "left": ["ct": ["key": "direction"]], "right": "original"]],
                [
                    "match": [
                        "op": "==", "left": ["ct": ["key": "ip daddr", "dir": "original"]], "right": "10.77.100.3",
                    ]
                ],
                [
                    "match": [
                        "op": "==", "left": ["payload": ["protocol": "tcp", "field": "dport"]], "right": 5004,
                    ]
                ],
            ])
    }

    @Test func allPathsOfASenderAreOneLane() throws {
        let ends = try [PacketEnd(["10.77.2.1"]), PacketEnd(["10.77.100.3"], isVirtual: true)]
        let lanes = try PacketPaths(sources: ["10.77.1.1", "10.77.1.2"], ends: ends, direction: .to).pathsBySender
        #expect(
            lanes.map { $0.map(\.text) }
                == ["10.77.1.1", "10.77.1.2"].map {
                    [
                        "ip saddr \($0) ip daddr 10.77.2.1",
                        "ip saddr \($0) ct direction original ct original ip daddr 10.77.100.3",
                    ]
                })
        let fault = try PathImpairmentFault(
            id: "x", paths: PacketPaths(sources: ["10.77.1.1"], ends: ends, direction: .to),
            impairment: Impairment(loss: .init(probability: 1)), seed: 1, workerCommand: [])
        let mark = "meta mark set \(PathDevices.mark(fault.number, lane: 0)) return"
        #expect(fault.script.components(separatedBy: mark).count == 3)
    }

    @Test func aPortIsAPort() {
        #expect(throws: InvalidFault.self) { try PacketEnd(["10.77.2.1"], port: 0) }
        #expect(throws: InvalidFault.self) { try PacketEnd([], port: 1) }
    }

    // MARK: Manifests

    private let engine = LocalEngine(
        topology: topology, hasNetwork: true, placements: [:], workerCommand: [], pathWorkerCommand: [], dataFolder: "",
        supervisor: Supervisor(commands: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))

    private func experiment(_ spec: String) throws -> Experiment {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata: {name: x, namespace: payment-chaos}
            spec:
              mode: all
              selector: {labelSelectors: {app: payment-service}}
            \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """
        let contents = ManifestLoader.load(text, file: "x.yaml")
        #expect(contents.problems == [])
        return try #require(contents.experiments.first)
    }

    private static let actions = [
        "action: loss\nloss: {loss: \"50\"}", "action: loss\nloss: {loss: \"50\", correlation: \"25\"}",
        "action: delay\ndelay: {latency: 100ms}", "action: duplicate\nduplicate: {duplicate: \"10\"}",
        "action: corrupt\ncorrupt: {corrupt: \"10\"}", "action: partition",
        "action: bandwidth\nbandwidth: {rate: 1mbit, limit: 20000, buffer: 10000}",
    ]

    @Test(.enabled(if: TunDevice.obstacle() == nil, "needs TUN devices"), arguments: actions)
    func everyActionTakesThem(action: String) throws {
        let experiment = try experiment("\(action)\nexternalTargets: [notification-service, \"10.77.2.2:5003\"]")
        #expect(engine.refusal(of: experiment) == nil)
        let plan = try engine.plan(experiment, seed: 1)
        #expect(
            plan.places.map(\.description).sorted() == [
                "payment-0 -> inventory-1", "payment-0 -> notification-0", "payment-1 -> inventory-1",
                "payment-1 -> notification-0",
            ])
        #expect(plan.steps.count == 1 && plan.steps[0].action.contains("10.77.100.3,10.77.2.2:5003"))
    }

    @Test func withATargetBothAreTouched() throws {
        let experiment = try experiment(
            """
            action: partition
            direction: both
            target: {mode: all, selector: {labelSelectors: {app: inventory-service}}}
            externalTargets: [notification-0]
            """)
        let plan = try engine.plan(experiment, seed: 1)
        let ways = Set(plan.places.map(\.description))
        #expect(ways.count == 12 && ways.contains("notification-0 -> payment-1"))
        #expect(ways.contains("payment-0 -> inventory-1"))
        #expect(plan.steps[0].action.hasSuffix("10.77.1.1,10.77.1.2 <-> 10.77.2.1,10.77.2.2,10.77.3.1"))
    }

    @Test(arguments: [
        ("externalTargets: [notification-service, 8.8.8.8]", "spec.externalTargets[1]", "sealed"),
        ("externalTargets: [scenario-runner]", "spec.externalTargets[0]", "spared"),
    ])
    func oneOutOfReachRefusesAll(targets: String, field: String, word: String) throws {
        let experiment = try experiment("action: partition\n\(targets)")
        let refusal = try #require(engine.refusal(of: experiment))
        #expect(refusal.field == field && refusal.line == 8 && refusal.file == "x.yaml", "\(refusal)")
        #expect(refusal.reason.contains(word))
        #expect(throws: Refusal.self) { try engine.plan(experiment, seed: 1) }
    }

    @Test func whoIsItsOwnTargetIsRefused() throws {
        let experiment = try experiment("action: partition\nexternalTargets: [payment-1]")
        #expect(try engine.plan(experiment, seed: 1).places.map(\.description) == ["payment-0 -> payment-1"])
        let alone = try #require(
            ManifestLoader.load(
                """
                apiVersion: chaos-mesh.org/v1alpha1
                kind: NetworkChaos
                metadata: {name: x, namespace: payment-chaos}
                spec:
                  mode: all
                  selector: {pods: {payment-chaos: [payment-1]}}
                  action: partition
                  externalTargets: [payment-1]
                """, file: "x.yaml"
            ).experiments.first)
        let refusal = #expect(throws: Refusal.self) { try engine.plan(alone, seed: 1) }
        #expect(refusal?.field == "spec.externalTargets[0]" && refusal?.reason.contains("payment-1 itself") == true)
    }
}
