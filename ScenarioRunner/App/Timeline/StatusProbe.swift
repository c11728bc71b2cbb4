import ArgumentParser
import Experiments
import Foundation
import HTTPTypes
import Shared
import Subprocess
import SystemPackage

/// Asks as a user asks, from where the users are, so that faults on the way are met.
struct StatusProbe: Sendable {
    let system: SystemUnderTest

    /// - Returns: the status of the answer; nil when none came in time.
    func ask(_ check: StatusCheckSpec) async -> Int? {
        guard let request = try? JSONEncoder().encode(ProbeRequest(check)) else { return nil }
        let command = system.command("status-probe", "--request", String(decoding: request, as: UTF8.self))
        let result = try? await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())), input: .none,
            output: .string(limit: 64), error: .discarded)
        return result.flatMap { Int($0.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
}

/// What the probe is to ask.
struct ProbeRequest: Codable {
    let url: String
    let method: String
    let headers: [String: [String]]
    let body: String?
    let timeoutSeconds: Int

    init(_ check: StatusCheckSpec) {
        url = check.url
        method = check.method.rawValue
        headers = check.headers
        body = check.body
        timeoutSeconds = check.timeoutSeconds
    }

    /// - Returns: the status of the answer; nil when none came in time.
    func send(_ client: HTTPClient) async -> Int? {
        guard let method = HTTPRequest.Method(method) else { return nil }
        var fields = HTTPFields()
        for (name, values) in headers.sorted(by: { $0.key < $1.key }) {
            guard let name = HTTPField.Name(name) else { return nil }
            for value in values { fields.append(HTTPField(name: name, value: value)) }
        }
        let request = HTTPClientRequest(
            method: method, url: url, headers: fields, body: body.map { Data($0.utf8) },
            timeout: .seconds(timeoutSeconds))
        return try? await client.execute(request).status
    }
}

/// Asks once and prints the status of the answer, or nothing.
struct StatusProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status-probe", shouldDisplay: false)

    @Option var request: String

    mutating func run() async throws {
        let request = try JSONDecoder().decode(ProbeRequest.self, from: Data(request.utf8))
        let client = HTTPClient()
        let status = await request.send(client)
        await client.shutdown()
        if let status { FileHandle.standardOutput.write(Data("\(status)\n".utf8)) }
    }
}
