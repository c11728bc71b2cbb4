import ArgumentParser
import Foundation
import HTTPTypes
import Shared

/// `scenario-runner explain <payment-id>`: everything that happened to one payment, hop by hop.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell everything that happened to one payment, hop by hop.",
        discussion: "Exit codes: 0 told, 64 no such payment, 69 nobody answers.")

    @Argument(help: "The id of the payment: PAY-...")
    var paymentID: String

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @OptionGroup var target: TargetOptions

    @Flag(help: "Print the story as JSON on standard output, and nothing else there.")
    var json = false

    mutating func run() async throws {
        let client = try target.client(lab: stateFolder)
        let answer = try await client.call(.get, "/api/payments/\(URLEscape.pathSegment(paymentID))")
        let document = try JSONDecoder().decode(JSONValue.self, from: answer)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(document) + Data("\n".utf8))
        } else {
            print(try PaymentStory(document).text)
        }
    }
}
