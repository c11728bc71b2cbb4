import ArgumentParser
import Cluster
import Experiments
import Foundation
import Logging
import Sandbox
import Shared

/// `scenario-runner doctor`: what this machine, or a cluster, can and cannot do.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this machine can and cannot do, with the remedy for each.",
        discussion: """
            With --target kubernetes the same of a cluster: asked with your kubeconfig, or in a pod with its account.
            Exit codes: 0 nothing is missing, 69 something is.
            """)

    @Option(help: "lab: this machine; kubernetes: a cluster.")
    var target = RunnerTarget.lab

    @OptionGroup var cluster: KubeconfigOptions

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    mutating func run() async throws {
        let findings = target == .kubernetes ? try await ofCluster() : await Doctor.examine()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            print(Doctor.render(findings))
        }
        if findings.contains(where: { $0.status == .missing }) { throw ExitCode(CommandExit.unavailable.rawValue) }
    }

    private func ofCluster() async throws -> [Finding] {
        let api = KubernetesAPI(
            try cluster.access(environment: ProcessInfo.processInfo.environment),
            logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
        let findings = await ClusterDoctor.examine(api)
        await api.shutdown()
        return findings
    }
}
