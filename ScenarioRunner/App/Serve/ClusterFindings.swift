import Cluster
import Experiments
import ServiceLifecycle
import Synchronization

/// What the doctor finds in the cluster, looked at again now and then: what every journal says of the place.
final class ClusterFindings: Service {
    private let api: KubernetesAPI
    private let findings = Mutex<[Finding]>([])

    private static let period = Duration.seconds(300)

    init(api: KubernetesAPI) { self.api = api }

    /// None before the first look has ended.
    func current() -> [Finding] { findings.withLock { $0 } }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                let found = await ClusterDoctor.examine(api)
                // What a look that was cut short says is about the cut.
                guard !Task.isCancelled else { return }
                findings.withLock { $0 = found }
                try? await Task.sleep(for: Self.period)
            }
        }
    }
}
