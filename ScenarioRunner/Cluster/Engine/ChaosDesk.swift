import Experiments
import Logging
import Shared
import Synchronization

/// Creates, follows and removes single objects of Chaos Mesh, by the two halves of their life.
struct ChaosDesk: Sendable {
    let api: KubernetesAPI
    let pods: PodDirectory
    let logger: Logger

    private var timing: ClusterTiming { api.timing }

    // MARK: In

    /// Creates the object. An answer that was lost, or one that says that it is there already, is looked into: the name
    /// is this run's alone.
    ///
    /// - Throws: ``ClusterError``; ``mayBeThere(_:)`` tells whether there may be something to remove.
    func create(_ kind: ChaosKind, _ name: String, _ body: JSONValue, runID: String) async throws -> ChaosObject {
        do {
            return try await api.create(kind.resource, body)
        } catch let error as ClusterError where error.kind == .conflict || Self.mayBeThere(error) {
            guard let there: ChaosObject = try? await api.get(kind.resource, name),
                there.metadata.labels?[ChaosNaming.runLabel] == ChaosNaming.labelValue(runID), !there.isBeingDeleted
            else { throw error }
            return there
        }
    }

    /// Whether an object may have been made although its creation failed so.
    static func mayBeThere(_ error: any Error) -> Bool {
        guard let error = error as? ClusterError else { return true }
        return switch error.kind {
        case .timedOut, .unreachable, .brokenAnswer, .serverError: true
        default: false
        }
    }

    /// Waits until the object is injected everywhere.
    ///
    /// - Throws: ``ClusterError`` with the reason that Chaos Mesh gives, `CancellationError`.
    func waitForInjection(_ object: ChaosObject, kind: ChaosKind, pods: Set<String>) async throws {
        let life = Mutex(InjectionLife(name: "\(kind.kind)/\(object.metadata.name)", pods: pods))
        let outcome = try await ObjectFollower(api: api, kind: kind, name: object.metadata.name).follow(
            from: object, within: timing.injection
        ) { object in
            life.withLock { life in
                let outcome = object.map { life.saw($0) } ?? life.gone()
                return outcome == .waiting ? nil : outcome
            }
        }
        switch outcome {
        case .came(.failed(let error)): throw error
        case .came: return
        case .overdue(let error?): throw error
        case .overdue(nil): throw life.withLock { $0.overdue(GoDuration.text(timing.injection)) }
        }
    }

    /// Waits until the controller has taken up a workflow. A schedule shows nothing before its first time.
    ///
    /// - Throws: ``ClusterError``, `CancellationError`.
    func waitForTakeUp(_ object: ChaosObject, kind: ChaosKind) async throws {
        guard kind == .workflow else { return }
        let name = object.metadata.name
        let outcome = try await ObjectFollower(api: api, kind: kind, name: name).follow(
            from: object, within: timing.injection
        ) { object -> Bool? in
            guard let object else { return false }
            return object.status?.entryNode?.isEmpty == false ? true : nil
        }
        switch outcome {
        case .came(true): return
        case .came(false):
            throw ClusterError(.notInjected, "Workflow/\(name) was deleted by somebody else before it began")
        case .overdue(let error):
            throw error
                ?? ClusterError(
                    .controllerSilent,
                    "Chaos Mesh has not begun Workflow/\(name) within \(GoDuration.text(timing.injection))",
                    remedy: "see whether its controller runs: kubectl -n chaos-mesh get pods")
        }
    }

    // MARK: Out

    /// Why finalizers were given up, where they were.
    typealias ForcedReason = String

    /// Deletes the object and waits until it is gone; its finalizers are given up only where nothing of it can be in a
    /// pod.
    ///
    /// - Returns: why its finalizers had to be given up; nil when they had not.
    /// - Throws: ``ClusterError``, `CancellationError`.
    @discardableResult
    func remove(
        _ kind: ChaosKind, _ name: String, uid: String? = nil, resourceVersion: String? = nil
    ) async throws -> ForcedReason? {
        do {
            try await api.delete(
                kind.resource, name, uid: uid, resourceVersion: resourceVersion, isForeground: kind.ownsOthers)
        } catch let error as ClusterError where Self.isGone(error) || error.kind == .conflict && resourceVersion == nil
        {
            // A conflict about the uid alone: the name is another object's by now.
            return nil
        }
        let life = Mutex(RemovalLife(name: "\(kind.kind)/\(name)"))
        if try await isGone(kind, name, life, within: timing.removal) { return nil }
        if kind.ownsOthers { return try await removeParts(of: kind, name) }
        let there = try await pods.refresh().pods
        let reason: String
        switch life.withLock({ $0.overdue(pods: Set(there.map(\.name)), GoDuration.text(timing.removal)) }) {
        case .stays(let error): throw error
        case .force(let why): reason = why
        }
        let (key, value) = ChaosObject.forcedFinalizers
        do {
            try await api.patch(
                kind.resource, name, .object(["metadata": .object(["annotations": .object([key: .string(value)])])]),
                as: ChaosObject.self)
        } catch let error as ClusterError where Self.isGone(error) {
            return nil
        }
        life.withLock { $0.forced() }
        logger.warning(
            "finalizers given up by force", metadata: ["object": "\(kind.kind)/\(name)", "reason": "\(reason)"])
        if try await isGone(kind, name, life, within: timing.forcedRemoval) { return reason }
        guard
            case .stays(let error) = life.withLock({
                $0.overdue(pods: Set(there.map(\.name)), GoDuration.text(timing.forcedRemoval))
            })
        else { return reason }
        throw error
    }

    /// What a workflow or a schedule has made holds it up: each of them is removed by itself.
    private func removeParts(of kind: ChaosKind, _ name: String) async throws -> ForcedReason? {
        var reason: ForcedReason?
        for part in ChaosKind.all where !part.ownsOthers {
            let labels = "\(kind.labelOfParts)=\(name)"
            for object in try await api.list(part.resource, labels: labels, as: ChaosObject.self).items {
                let why = try await remove(part, object.metadata.name, uid: object.metadata.uid)
                reason = reason ?? why
            }
        }
        guard try await isGone(kind, name, Mutex(RemovalLife(name: name)), within: timing.forcedRemoval) else {
            throw ClusterError(
                .notRemoved, "\(kind.kind)/\(name) is still there, although nothing that it has made is",
                remedy: "see whether Chaos Mesh's controller runs: kubectl -n chaos-mesh get pods")
        }
        return reason
    }

    private func isGone(
        _ kind: ChaosKind, _ name: String, _ life: borrowing Mutex<RemovalLife>, within limit: Duration
    ) async throws -> Bool {
        // A borrowed lock cannot be captured; what was seen is put there afterwards.
        let last = Mutex<ChaosObject?>(nil)
        let outcome = try await ObjectFollower(api: api, kind: kind, name: name).follow(from: nil, within: limit) {
            object -> Bool? in
            guard let object else { return true }
            last.withLock { $0 = object }
            return nil
        }
        if let object = last.withLock({ $0 }) { life.withLock { $0.saw(object) } }
        switch outcome {
        case .came: return true
        case .overdue(let error?): throw error
        case .overdue(nil): return false
        }
    }

    /// Not there, or of a kind that is not there any more.
    static func isGone(_ error: ClusterError) -> Bool { error.kind == .notFound || error.kind == .chaosMeshMissing }
}
