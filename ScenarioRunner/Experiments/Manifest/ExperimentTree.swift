/// The way back: an experiment as a manifest.
///
/// Loading what is written here gives the same experiment again, but for its place in a file. Nothing of the manifest
/// that it came from is lost; it is written in one way: a time as `1m30s`, a share as `80.5`, a rate as `1mbit`;
/// defaults are written out, and comments, empty values and the order of the fields are not kept.
extension Experiment {
    public var manifest: ManifestTree {
        .of([
            ("apiVersion", .text(isConfigMap ? FailureModesSpec.manifestVersion : ManifestLoader.apiVersion)),
            ("kind", .text(isConfigMap ? FailureModesSpec.manifestKind : kind)),
            (
                "metadata",
                .of([
                    ("name", .text(name)), ("namespace", .text(namespace)), ("labels", .texts(labels)),
                    ("annotations", .texts(annotations)),
                ])
            ),
            (isConfigMap ? "data" : "spec", spec.tree),
        ])
    }

    private var isConfigMap: Bool {
        if case .failureModes = spec { true } else { false }
    }
}

extension Experiment.Spec {
    /// As it stands below `spec` (`data`, for failure modes).
    public var tree: ManifestTree {
        switch self {
        case .network(let network): network.tree
        case .stress(let stress): stress.tree
        case .pod(let pod): pod.tree
        case .http(let http): http.tree
        case .io(let io): io.tree
        case .schedule(let schedule): schedule.tree
        case .workflow(let workflow): workflow.tree
        case .statusCheck(let check): check.tree
        case .failureModes(let modes): modes.tree
        case .other(let tree): tree
        }
    }
}

extension ScheduleSpec {
    var tree: ManifestTree {
        .of([
            ("schedule", .text(schedule.description)), ("type", .text(type)),
            ("concurrencyPolicy", .text(concurrencyPolicy.rawValue)), ("historyLimit", .number(historyLimit)),
            ("startingDeadlineSeconds", .number(startingDeadlineSeconds)), (bodyField, bodySpec.tree),
        ])
    }
}

extension WorkflowSpec {
    var tree: ManifestTree {
        .of([("entry", .text(entry)), ("templates", .list(templates.map(\.tree)))])
    }
}

extension WorkflowSpec.Template {
    fileprivate var tree: ManifestTree {
        .of(
            [("name", .text(name)), ("templateType", .text(type)), ("deadline", .duration(deadline))]
                + bodyFields)
    }

    private var bodyFields: [(String, ManifestTree?)] {
        switch body {
        case .serial(let names), .parallel(let names): [("children", .texts(names))]
        case .suspend: []
        case .chaos(let chaos): [(chaos.field, chaos.spec.tree)]
        case .schedule(let schedule): [("schedule", schedule.tree)]
        case .statusCheck(let check, let aborts):
            [("statusCheck", check.tree), ("abortWithStatusCheck", .plain("\(aborts)"))]
        case .task(let task, let branches): [("task", task), ("conditionalBranches", branches)]
        }
    }
}

extension StatusCheckSpec {
    var tree: ManifestTree {
        .of([
            ("mode", .text(mode.rawValue)), ("type", .text(Kind.http.rawValue)),
            ("timeoutSeconds", .number(timeoutSeconds)), ("intervalSeconds", .number(intervalSeconds)),
            ("failureThreshold", .number(failureThreshold)), ("successThreshold", .number(successThreshold)),
            ("recordsHistoryLimit", .number(recordsHistoryLimit)), ("duration", .duration(duration)),
            (
                "http",
                .of([
                    ("url", .text(url)), ("method", .text(method.rawValue)),
                    ("headers", .map(headers) { .texts($0) ?? .list([]) }), ("body", .text(body)),
                    ("criteria", .of([("statusCode", .text(statusCodeText))])),
                ])
            ),
        ])
    }
}

extension FailureModesSpec {
    var tree: ManifestTree {
        let lines = steps.map { "\(GoDuration.text($0.offset)) \(FailureModesText.text($0.modes))\n" }
        return .of([("duration", .duration(duration)), ("steps", .text(lines.joined()))])
    }
}
