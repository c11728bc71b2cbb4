import ArgumentParser
import Experiments
import Foundation
import Load
import Logging
import Sandbox
import ServiceLifecycle
import Shared
import Synchronization
import UnixSignals

// The commands of this file are started by the lab, on its hosts and in its cgroups, not by people.

/// Relays the host's ports to the services, on the lab's `client` host.
struct FrontDoorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "front-door", shouldDisplay: false)

    @Argument(help: .hidden)
    var routes: [String]

    mutating func run() async throws {
        let routes = try routes.map { text in
            guard let route = FrontDoor.Route(argument: text) else { throw ValidationError("not a route: \(text)") }
            return route
        }
        let logger = Logger(label: "front-door")
        let door = FrontDoor(routes: routes, logger: logger)
        try await ServiceMain.run([door], logger: logger)
    }
}

/// Sends the load of one run and prints one JSON line a request.
struct LoadWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "load-worker", shouldDisplay: false)

    @Option var baseURL: String
    @Option var rate: Int
    @Option var durationMs: Int
    @Option var seed: UInt64
    @Option var runID: String

    mutating func run() async throws {
        let plan = try LoadPlan.chainAndProcess(
            baseURL: baseURL, ratePerSecond: Double(rate), duration: .milliseconds(durationMs), seed: seed, runID: runID
        )
        let client = HTTPClient(configuration: .init(maxConnectionsPerHost: plan.maximumInFlight))
        let stop = StopFlag()
        let output = Mutex(JSONEncoder())
        let generator = LoadGenerator(plan: plan, sender: HTTPSender(execute: client.execute)) { sample in
            output.withLock { encoder in
                guard var line = try? encoder.encode(sample) else { return }
                line.append(UInt8(ascii: "\n"))
                try? FileHandle.standardOutput.write(contentsOf: line)
            }
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { stop.set() }
            }
            await generator.run(stopSending: { stop.isSet })
            group.cancelAll()
        }
        await client.shutdown()
    }

    private final class StopFlag: Sendable {
        private let flag = Atomic<Bool>(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}

/// Burns CPU, holds memory or writes to a disk in a replica's cgroup; ends with its standard input.
struct StressWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stress-worker", shouldDisplay: false, subcommands: [CPU.self, Memory.self, Disk.self])

    struct CPU: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "cpu")

        @Option var load: Int
        @Option var durationSeconds: Int

        func run() throws {
            try StressWorker(.cpu(loadPercent: load), lifetime: .seconds(durationSeconds)).run()
        }
    }

    struct Memory: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "memory")

        @Option var bytes: UInt64
        @Option var oomScoreAdj: Int
        @Option var durationSeconds: Int

        func run() throws {
            try StressWorker(
                .memory(bytes: bytes, oomScoreAdjustment: oomScoreAdj), lifetime: .seconds(durationSeconds)
            ).run()
        }
    }

    struct Disk: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "disk")

        @Option var folder: String
        @Option var bytes: UInt64
        @Option var worker: Int
        @Option var durationSeconds: Int

        func run() throws {
            let work = DiskWork(folder: folder, bytes: bytes, worker: worker, tally: STDOUT_FILENO)
            try StressWorker(.disk(work), lifetime: .seconds(durationSeconds)).run()
        }
    }
}

/// Leads the packets of a path through delay, loss and damage, on the router; ends with its standard input.
struct PathWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "path-worker", shouldDisplay: false)

    @Option var number: Int
    @Option var lanes: Int
    @Option var seed: UInt64
    @Option var durationSeconds: Int
    @Option var impairment: String

    func run() throws {
        let impairment = try JSONDecoder().decode(Impairment.self, from: Data(impairment.utf8))
        try PathWorker(
            number: number, lanes: lanes, impairment: impairment, seed: seed, lifetime: .seconds(durationSeconds)
        ).run()
    }
}
