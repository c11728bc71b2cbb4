import Logging
import ServiceLifecycle
import Shared

/// Deletes what runners that have died left behind, at start and once a minute, and renews the leases of this one's.
///
/// ```
///   each object with our owner label:  in the book  --> a new lease
///                                      lease over   --> deleted, unless it has changed since
///                                      else         --> left alone: somebody else's, and alive
/// ```
public struct LeaseSweep: Service {
    private let api: KubernetesAPI
    private let leases: LeaseBook
    private let desk: ChaosDesk
    private let logger: Logger
    /// The API server's time, in which all leases are written.
    var now: @Sendable () -> UnixTime

    public init(_ api: KubernetesAPI, pods: PodDirectory, leases: LeaseBook, logger: Logger) {
        self.api = api
        self.leases = leases
        self.logger = logger
        desk = ChaosDesk(api: api, pods: pods, logger: logger)
        now = { api.clock.now }
    }

    static func leaseEnd(_ timing: ClusterTiming, after now: UnixTime) -> UnixTime {
        now.advanced(bySeconds: Int(timing.lease.components.seconds))
    }

    /// Runs until the task is cancelled or the service shut down. Never throws: what fails is tried again.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                do {
                    let gone = try await sweep()
                    if !gone.isEmpty {
                        logger.notice("swept", metadata: ["objects": "\(gone.joined(separator: ", "))"])
                    }
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("the sweep failed", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: api.timing.sweep)
            }
        }
    }

    /// One round. What fails with one object, or one kind, hinders no other.
    ///
    /// - Returns: the names of the objects that were deleted: `NetworkChaos/packet-loss-80-x7k2q`.
    /// - Throws: the first ``ClusterError``, once all is done; `CancellationError`.
    @discardableResult
    public func sweep() async throws -> [String] {
        var gone: [String] = []
        var failure: (any Error)?
        for kind in ChaosKind.all {
            do {
                let listing = try await api.list(
                    kind.resource, labels: "\(ChaosNaming.ownerLabel)=\(ChaosNaming.owner)", as: ChaosObject.self)
                for object in listing.items {
                    do {
                        if try await look(after: object, kind) { gone.append("\(kind.kind)/\(object.metadata.name)") }
                    } catch {
                        failure = failure ?? error
                    }
                }
            } catch let error as ClusterError where error.kind == .chaosMeshMissing {
                // No such kind, no such objects.
                continue
            } catch {
                failure = failure ?? error
            }
            try Task.checkCancellation()
        }
        if let failure { throw failure }
        return gone
    }

    /// Returns whether it is gone.
    private func look(after object: ChaosObject, _ kind: ChaosKind) async throws -> Bool {
        let name = object.metadata.name
        let now = now()
        if leases.contains(.init(kind: kind, name: name)) {
            let end = KubernetesTime.text(Self.leaseEnd(api.timing, after: now))
            try await api.patch(
                kind.resource, name,
                .object(["metadata": .object(["annotations": .object([ChaosNaming.leaseAnnotation: .string(end)])])]),
                as: ChaosObject.self)
            return false
        }
        guard Self.isOver(object.metadata, at: now, lease: api.timing.lease) else { return false }
        do {
            // Its version too: whoever has renewed the lease meanwhile keeps it.
            let reason = try await desk.remove(
                kind, name, uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion)
            logger.notice(
                "an object of a runner that is gone was deleted",
                metadata: ["object": "\(kind.kind)/\(name)", "forced": "\(reason ?? "no")"])
            return true
        } catch let error as ClusterError where error.kind == .conflict {
            return false
        }
    }

    /// One without a lease that can be read has one from its creation.
    static func isOver(_ metadata: ObjectMetadata, at now: UnixTime, lease: Duration) -> Bool {
        if let end = metadata.annotations?[ChaosNaming.leaseAnnotation].flatMap(KubernetesTime.parse) {
            return end < now
        }
        guard let created = metadata.creationTimestamp.flatMap(KubernetesTime.parse) else { return false }
        return created.advanced(bySeconds: Int(lease.components.seconds)) < now
    }
}
