import Experiments
import Logging
import Shared
import Synchronization

/// The way out.
///
/// ```
///   delete --> gone
///     '-- half-way in: take its rules out of the pods' own objects --> Chaos Mesh ends by itself --> gone
///     '-- deadline --> something of it may be in a pod: stays, and is reported
///                  '-> nothing is: cleanFinalizer: forced --> gone
///                                     '-- deadline --> the finalizers are taken off here --> gone
/// ```
extension ChaosDesk {
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
        return try await force(kind, name, life)
    }

    /// Gives up the finalizers, where that hides nothing.
    private func force(
        _ kind: ChaosKind, _ name: String, _ life: borrowing Mutex<RemovalLife>
    ) async throws -> ForcedReason? {
        let there = Set(try await pods.refresh().pods.map(\.name))
        let stuck = life.withLock { $0.stuckPods }.intersection(there)
        let unsettled = try await unsettled(kind, name, stuck)
        let reason: String
        switch life.withLock({ $0.overdue(pods: there, unsettled: unsettled, GoDuration.text(timing.removal)) }) {
        case .stays(let error): throw error
        case .force(let why): reason = why
        }
        logger.warning(
            "finalizers are given up by force", metadata: ["object": "\(kind.kind)/\(name)", "reason": "\(reason)"])
        let (key, value) = ChaosObject.forcedFinalizers
        // The second where the first is not looked at: while an attempt fails, Chaos Mesh gets no further than that.
        let changes: [(String, JSONValue)] = [
            ("annotations", .object([key: .string(value)])), ("finalizers", .null),
        ]
        for change in changes {
            do {
                try await api.patch(
                    kind.resource, name, .object(["metadata": .object([change.0: change.1])]), as: ChaosObject.self)
            } catch let error as ClusterError where Self.isGone(error) {
                return reason
            }
            if try await isGone(kind, name, life, within: timing.forcedRemoval) { return reason }
        }
        throw life.withLock { $0.staysForced(GoDuration.text(timing.forcedRemoval)) }
    }

    /// The pods in which there may still be something of it although nothing is wanted there any more.
    private func unsettled(_ kind: ChaosKind, _ name: String, _ pods: Set<String>) async throws -> Set<String> {
        guard let rules = PodRules(of: kind, name, api: api) else { return [] }
        var unsettled: Set<String> = []
        for pod in pods.sorted() {
            do {
                if try await rules.clear(pod) == .unsettled { unsettled.insert(pod) }
            } catch let error as ClusterError {
                throw ClusterError(
                    .notRemoved,
                    "\(kind.kind)/\(name) is still loaded in \(rules.place.plural)/\(pod) and cannot be taken out: "
                        + error.detail,
                    remedy: error.remedy ?? "delete the pod, and it goes with it: kubectl delete pod \(pod)")
            }
        }
        return unsettled
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

    private enum Sight: Sendable {
        case gone
        /// The pods into which it is half-way.
        case halfWayIn(Set<String>)
    }

    /// Waits until it is gone. What is half-way into a pod meanwhile is taken out, once a pod: Chaos Mesh itself does so
    /// only when it has got in.
    private func isGone(
        _ kind: ChaosKind, _ name: String, _ life: borrowing Mutex<RemovalLife>, within limit: Duration
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        let rules = PodRules(of: kind, name, api: api)
        // A borrowed lock cannot be captured; what was seen is put there afterwards.
        let last = Mutex<ChaosObject?>(nil)
        var cleared: Set<String> = []
        while true {
            let done = cleared
            let outcome = try await ObjectFollower(api: api, kind: kind, name: name).follow(
                from: nil, within: ContinuousClock.now.duration(to: deadline)
            ) { object -> Sight? in
                guard let object else { return .gone }
                last.withLock { $0 = object }
                let pods = object.podsHalfWayIn.subtracting(done)
                return rules == nil || pods.isEmpty ? nil : .halfWayIn(pods)
            }
            if let object = last.withLock({ $0 }) { life.withLock { $0.saw(object) } }
            switch outcome {
            case .came(.gone): return true
            case .came(.halfWayIn(let pods)):
                for pod in pods.sorted() { await clear(rules, pod) }
                cleared.formUnion(pods)
            case .overdue(let error?): throw error
            case .overdue(nil): return false
            }
        }
    }

    /// What fails here is tried once more before anything is forced, and an error then.
    private func clear(_ rules: PodRules?, _ pod: String) async {
        do {
            _ = try await rules?.clear(pod)
        } catch {
            logger.warning(
                "rules could not be taken out of a pod's object", metadata: ["pod": "\(pod)", "error": "\(error)"])
        }
    }

    /// Not there, or of a kind that is not there any more.
    static func isGone(_ error: ClusterError) -> Bool { error.kind == .notFound || error.kind == .chaosMeshMissing }
}
