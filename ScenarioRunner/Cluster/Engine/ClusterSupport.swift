import Experiments

/// What of an experiment is not done in a cluster, known from the manifest alone, and where it says so.
struct ClusterSupport {
    /// The only one in which anything is done.
    let namespace: String
    /// The label `app` of the system's own pods.
    var services: Set<String> = []

    func refusal(of experiment: Experiment) -> Refusal? {
        // Failure modes are settings of the payment service; a namespace of their ConfigMap means nothing.
        if case .failureModes = experiment.spec { return nil }
        if experiment.mentions("metadata.namespace"), experiment.namespace != namespace {
            return experiment.refusal("metadata.namespace", elsewhere(experiment.namespace))
        }
        return refusal(of: experiment.spec, in: experiment, at: "spec") ?? wholeRefusal(of: experiment)
    }

    private func elsewhere(_ name: String) -> String {
        "names the namespace '\(name)': nothing is done outside of \(namespace)"
    }

    /// - Parameter path: the field that holds the spec.
    private func refusal(of spec: Experiment.Spec, in experiment: Experiment, at path: String) -> Refusal? {
        switch spec {
        case .network(let network):
            return refusal(of: network.source.selector, in: experiment, at: "\(path).selector")
                ?? network.target.flatMap { refusal(of: $0.selector, in: experiment, at: "\(path).target.selector") }
                ?? remote(network.remoteCluster, experiment, path)
        case .stress(let stress):
            // 2.8.3 sends its daemon the words of `stressors` alone, and stops at a null pointer where there are none
            // (`controllers/chaosimpl/stresschaos/impl.go`).
            if stress.stressngStressors != nil {
                return experiment.refusal(
                    "\(path).stressngStressors",
                    "Chaos Mesh up to 2.8.3 never hands these words on: give stressors (cpu, memory) instead, or run "
                        + "it in the local lab")
            }
            return refusal(of: stress.target.selector, in: experiment, at: "\(path).selector")
                ?? remote(stress.remoteCluster, experiment, path)
        case .pod(let pod):
            return refusal(of: pod.target.selector, in: experiment, at: "\(path).selector")
                ?? remote(pod.remoteCluster, experiment, path)
        case .io(let io):
            if let app = io.source.selector.labels["app"], services.contains(app) {
                return volumes(of: app, experiment, path)
            }
            return refusal(of: io.source.selector, in: experiment, at: "\(path).selector")
                ?? remote(io.remoteCluster, experiment, path)
        case .http(let http):
            if let secret = http.tls?.secretNamespace, secret != namespace {
                return experiment.refusal("\(path).tls.secretNamespace", elsewhere(secret))
            }
            return refusal(of: http.source.selector, in: experiment, at: "\(path).selector")
                ?? remote(http.remoteCluster, experiment, path)
        case .schedule(let schedule):
            return refusal(of: schedule.bodySpec, in: experiment, at: "\(path).\(schedule.bodyField)")
        case .workflow(let workflow): return refusal(of: workflow, in: experiment, at: path)
        case .statusCheck:
            return experiment.refusal(path, "a status check breaks nothing by itself: put it into a workflow")
        case .failureModes: return nil
        case .other:
            let known = ChaosKind.all.map(\.kind).joined(separator: ", ")
            return experiment.refusal(
                path == "spec" ? "kind" : path, "objects of this kind are not made here; those that are: \(known)")
        }
    }

    private func refusal(of workflow: WorkflowSpec, in experiment: Experiment, at path: String) -> Refusal? {
        for (index, template) in workflow.templates.enumerated() {
            let place = "\(path).templates[\(index)]"
            let refusal: Refusal? =
                switch template.body {
                case .chaos(let chaos):
                    self.refusal(of: chaos.spec, in: experiment, at: "\(place).\(chaos.field)")
                case .schedule(let schedule):
                    self.refusal(of: .schedule(schedule), in: experiment, at: "\(place).schedule")
                case .task(_, let branches):
                    experiment.refusal(
                        branches == nil ? "\(place).task" : "\(place).conditionalBranches",
                        "a Task runs a container image, which the runner has no right to do")
                case .serial, .parallel, .suspend, .statusCheck: nil
                }
            if let refusal { return refusal }
        }
        return nil
    }

    private func refusal(of selector: Selector, in experiment: Experiment, at path: String) -> Refusal? {
        // Where the manifest names none, the loader has put the experiment's own there.
        if experiment.mentions("\(path).namespaces") || experiment.mentions("metadata.namespace"),
            let other = selector.namespaces.first(where: { $0 != namespace })
        {
            return experiment.refusal("\(path).namespaces", elsewhere(other))
        }
        if let other = selector.pods.keys.sorted().first(where: { $0 != namespace }) {
            return experiment.refusal("\(path).pods", elsewhere(other))
        }
        guard selector.nodeLabels.isEmpty else {
            return experiment.refusal(
                "\(path).nodeSelectors",
                "the runner has no right to read the labels of nodes: name nodes with 'nodes', or select by label")
        }
        if let field = selector.fields.keys.sorted().first(where: { !Selector.knownFields.contains($0) }) {
            return experiment.refusal(
                "\(path).fieldSelectors",
                "'\(field)' is not looked at here; known: \(Selector.knownFields.joined(separator: ", "))")
        }
        return nil
    }

    /// What an experiment on files would do to one of the system's pods, known once the pods are.
    func refusal(of experiment: Experiment, in choice: PodChoice) -> Refusal? {
        guard case .io = experiment.spec,
            let app = choice.pods.compactMap({ $0.labels["app"] }).first(where: services.contains)
        else { return nil }
        return volumes(of: app, experiment, "spec")
    }

    /// Chaos Mesh's toda moves the volume to a folder that it makes beside it (`src/mount_injector.rs`), here in a root
    /// that is read-only; and its file system keeps locks to itself, so that two pods could write one SQLite file at
    /// once.
    private func volumes(of app: String, _ experiment: Experiment, _ path: String) -> Refusal {
        experiment.refusal(
            "\(path).volumePath",
            "is not touched in \(app): its root is read-only, where Chaos Mesh needs a folder beside the volume, and "
                + "databases that pods share would lose each other's locks")
    }

    private func remote(_ name: String?, _ experiment: Experiment, _ path: String) -> Refusal? {
        guard let name, !name.isEmpty else { return nil }
        return experiment.refusal("\(path).remoteCluster", "nothing is done in another cluster ('\(name)')")
    }
}
