import ArgumentParser
import Foundation
import Load
import UnixSignals

/// Sends a load where the lab starts it, on its `client` host; told what on its standard input, tells on its standard
/// output. Started by the lab, not by people.
struct LoadWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "load-worker", shouldDisplay: false)

    mutating func run() async throws {
        let input = try FileHandle.standardInput.readToEnd() ?? Data()
        let order = try JSONDecoder().decode(LoadWorkerOrder.self, from: input)
        let outbox = LoadWorkerOutbox()
        var observer = LoadSession.Observer()
        if order.tellsSamples { observer.onSample = { outbox.add(.sample($0)) } }
        observer.onSecond = { outbox.add(.second($0)) }
        observer.onProgress = { outbox.add(.progress($0)) }
        let generator = try LoadGenerator(plan: order.plan(), observer: observer)
        let profile = try order.readProfile()
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { generator.stop() }
            }
            group.addTask {
                let summary = await generator.run().completed(by: profile, baseURL: order.baseURL)
                outbox.add(.summary(summary))
                outbox.close()
            }
            try await outbox.run { try FileHandle.standardOutput.write(contentsOf: $0) }
            group.cancelAll()
        }
    }
}
