import Experiments
import Logging
import Shared
import Synchronization

/// Creates, follows and removes single objects of Chaos Mesh, by the two halves of their life: here the way in.
struct ChaosDesk: Sendable {
    let api: KubernetesAPI
    let pods: PodDirectory
    let logger: Logger

    var timing: ClusterTiming { api.timing }

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
}
