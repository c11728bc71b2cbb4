import ArgumentParser
import Experiments
import Foundation
import Logging
import Sandbox
import ServiceLifecycle
import Shared

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
