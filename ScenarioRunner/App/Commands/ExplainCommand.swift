import ArgumentParser
import Foundation
import Shared

/// `scenario-runner explain <payment-id>`: everything that happened to one payment of the running lab, hop by hop.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell everything that happened to one payment, hop by hop.",
        discussion: "Exit codes: 0 told, 64 no such payment, 69 the lab does not answer.")

    @Argument(help: "The id of the payment: PAY-...")
    var paymentID: String

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @Flag(help: "Print the story as JSON on standard output, and nothing else there.")
    var json = false

    mutating func run() async throws {
        let lab = try LabFolder.runningLab(in: stateFolder)
        let document = try await read(lab.paymentURL)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(document) + Data("\n".utf8))
        } else {
            print(try PaymentStory(document).text)
        }
    }

    private func read(_ paymentURL: String) async throws -> JSONValue {
        let client = HTTPClient()
        do {
            let document = try await PaymentStoryReader(client: client, paymentURL: paymentURL).read(paymentID)
            await client.shutdown()
            return document
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
