import Logging

/// Follows all objects of a kind in the namespace: a list, then a watch from there on, and so on.
///
/// ```
///   list --> watch --ended in order--> watch from there
///    ^         '--- 410 ------------------------------.
///    '-- pause <-- three failures in a row <-- pause --'
/// ```
struct KubernetesFollower<Object: KubernetesObject>: Sendable {
    let api: KubernetesAPI
    let resource: KubernetesResource
    let logger: Logger
    /// All objects there are, and none besides.
    let listed: @Sendable ([Object]) -> Void
    let told: @Sendable (WatchEvent<Object>) -> Void

    /// Watches that fail in a row before the list is read anew.
    private static var watchFailures: Int { 3 }

    /// Goes on until the task is cancelled.
    func run() async {
        var retry = Retry(api.timing)
        while !Task.isCancelled {
            do {
                let listing = try await api.list(resource, as: Object.self)
                listed(listing.items)
                retry.succeeded()
                await watch(from: listing.resourceVersion)
            } catch {
                guard !Task.isCancelled else { return }
                let pause = retry.next()
                logger.warning(
                    "the list cannot be read", metadata: ["resource": "\(resource.name)", "error": "\(error)"])
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Returns when the list is to be read anew.
    private func watch(from start: String) async {
        var version = start
        var retry = Retry(api.timing)
        var failures = 0
        while !Task.isCancelled {
            do {
                try await api.watch(resource, from: &version, as: Object.self) { event in
                    told(event)
                    failures = 0
                    retry.succeeded()
                    return true
                }
            } catch let error as ClusterError where error.kind == .gone {
                return
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                logger.notice(
                    "the watch has ended", metadata: ["resource": "\(resource.name)", "error": "\(error)"])
                guard failures < Self.watchFailures else { return }
            }
            // Also after an end in order: a server that ends every watch at once is not asked in a circle.
            try? await Task.sleep(for: retry.next())
        }
    }
}
