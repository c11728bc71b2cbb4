import Shared

extension NetworkChaosSpec {
    var tree: ManifestTree {
        .of(
            [("action", .text(action.rawValue))] + source.fields + [
                ("direction", .text(direction.rawValue)),
                ("target", target.map { .of($0.fields) }),
                ("externalTargets", .texts(externalTargets.map(\.description))),
                (
                    "loss",
                    loss.map { .of([("loss", .share($0.loss)), ("correlation", .share($0.correlation))]) }
                ),
                ("delay", delay?.tree),
                ("duplicate", duplicate.map { $0.tree("duplicate") }),
                ("corrupt", corrupt.map { $0.tree("corrupt") }),
                ("rate", rate.map { .of([("rate", .text($0.description))]) }),
                ("bandwidth", bandwidth?.tree),
                ("device", .text(device)), ("targetDevice", .text(targetDevice)),
                ("remoteCluster", .text(remoteCluster)), ("duration", .duration(duration)),
            ])
    }
}

extension NetworkChaosSpec.Delay {
    fileprivate var tree: ManifestTree {
        .of([
            ("latency", .shortDuration(latency)), ("jitter", .shortDuration(jitter)),
            ("correlation", .share(correlation)),
            (
                "reorder",
                reorder.map {
                    .of([
                        ("reorder", .share($0.reorder)), ("correlation", .share($0.correlation)),
                        ("gap", .number($0.gap)),
                    ])
                }
            ),
        ])
    }
}

extension NetworkChaosSpec.Share {
    fileprivate func tree(_ name: String) -> ManifestTree {
        .of([(name, .share(share)), ("correlation", .share(correlation))])
    }
}

extension NetworkChaosSpec.Bandwidth {
    fileprivate var tree: ManifestTree {
        .of([
            ("rate", .text(rate.description)), ("limit", .number(limit)), ("buffer", .number(buffer)),
            ("peakrate", .number(peakrate)), ("minburst", .number(minburst)),
        ])
    }
}

extension StressChaosSpec {
    var tree: ManifestTree {
        let stressors: [(String, ManifestTree?)] = [
            (
                "cpu",
                cpu.map {
                    .of([
                        ("workers", .number($0.workers)), ("load", .number($0.load)), ("options", .texts($0.options)),
                    ])
                }
            ),
            (
                "memory",
                memory.map {
                    .of([
                        ("workers", .number($0.workers)), ("size", .text($0.size?.manifestText)),
                        ("oomScoreAdj", .number($0.oomScoreAdjustment)), ("options", .texts($0.options)),
                    ])
                }
            ),
        ]
        return .of(
            target.fields + [
                ("stressors", cpu == nil && memory == nil ? nil : .of(stressors)),
                ("stressngStressors", .text(stressngStressors)), ("containerNames", .texts(containerNames)),
                ("remoteCluster", .text(remoteCluster)), ("duration", .duration(duration)),
            ])
    }
}

extension PodChaosSpec {
    var tree: ManifestTree {
        .of(
            [("action", .text(action.rawValue))] + target.fields + [
                ("gracePeriod", .number(gracePeriod)), ("containerNames", .texts(containerNames)),
                ("remoteCluster", .text(remoteCluster)), ("duration", .duration(duration)),
            ])
    }
}

extension HTTPChaosSpec {
    var tree: ManifestTree {
        .of(
            source.fields + [
                ("target", .text(target.rawValue)), ("port", .number(port)), ("path", .text(path)),
                ("method", .text(method)), ("code", .number(code)), ("request_headers", .texts(requestHeaders)),
                ("response_headers", .texts(responseHeaders)), ("abort", .plain("\(abort)")),
                ("delay", .duration(delay)), ("replace", replace?.tree), ("patch", patch?.tree), ("tls", tls?.tree),
                ("remoteCluster", .text(remoteCluster)), ("duration", .duration(duration)),
            ])
    }
}

extension HTTPChaosSpec.Replacement {
    fileprivate var tree: ManifestTree {
        .of([
            ("body", .text(body)), ("code", .number(code)), ("headers", .texts(headers)), ("method", .text(method)),
            ("path", .text(path)), ("queries", .texts(queries)),
        ])
    }
}

extension HTTPChaosSpec.Patch {
    fileprivate var tree: ManifestTree {
        .of([
            ("body", bodyType.map { .of([("type", .text($0)), ("value", .text(bodyValue))]) }),
            ("headers", Self.pairs(headers)), ("queries", Self.pairs(queries)),
        ])
    }

    private static func pairs(_ pairs: [[String]]) -> ManifestTree? {
        pairs.isEmpty ? nil : .list(pairs.map { .list($0.map { .text($0) }) })
    }
}

extension HTTPChaosSpec.TLS {
    fileprivate var tree: ManifestTree {
        .of([
            ("caName", .text(caName)), ("certName", .text(certName)), ("keyName", .text(keyName)),
            ("secretName", .text(secretName)), ("secretNamespace", .text(secretNamespace)),
        ])
    }
}

extension IOChaosSpec {
    var tree: ManifestTree {
        .of(
            [("action", .text(action.rawValue))] + source.fields + [
                ("volumePath", .text(volumePath)), ("path", .text(path)), ("methods", .texts(methods)),
                ("percent", .number(percent)), ("delay", .duration(delay)), ("errno", .number(errno)),
                ("attr", attributes?.tree), ("mistake", mistake?.tree), ("containerNames", .texts(containerNames)),
                ("remoteCluster", .text(remoteCluster)), ("duration", .duration(duration)),
            ])
    }
}

extension IOChaosSpec.Attributes {
    fileprivate var tree: ManifestTree {
        let numbers = numbers.sorted { $0.key < $1.key }.map { ($0.key, ManifestTree.number($0.value)) }
        let times = times.sorted { $0.key < $1.key }.map { name, time in
            (name, ManifestTree?.some(.of([("sec", .number(time.sec)), ("nsec", .number(time.nsec))])))
        }
        return .of(numbers + times + [("kind", .text(kind))])
    }
}

extension IOChaosSpec.Mistake {
    fileprivate var tree: ManifestTree {
        .of([
            ("filling", .text(filling?.rawValue)), ("maxLength", .number(maxLength)),
            ("maxOccurrences", .number(maxOccurrences)),
        ])
    }
}

extension ReplicaSelection {
    fileprivate var fields: [(String, ManifestTree?)] {
        let (name, value): (String, Int?) =
            switch mode {
            case .one: ("one", nil)
            case .all: ("all", nil)
            case .fixed(let count): ("fixed", count)
            case .fixedPercent(let percent): ("fixed-percent", percent)
            case .randomMaxPercent(let percent): ("random-max-percent", percent)
            }
        return [("mode", .text(name)), ("value", value.map { .text("\($0)") }), ("selector", selector.tree)]
    }
}

extension Selector {
    fileprivate var tree: ManifestTree {
        .of([
            ("namespaces", .texts(namespaces)), ("labelSelectors", .texts(labels)),
            (
                "expressionSelectors",
                expressions.isEmpty
                    ? nil
                    : .list(
                        expressions.map {
                            .of([
                                ("key", .text($0.key)), ("operator", .text($0.operator.rawValue)),
                                ("values", .texts($0.values)),
                            ])
                        })
            ),
            ("annotationSelectors", .texts(annotations)), ("fieldSelectors", .texts(fields)),
            ("podPhaseSelectors", .texts(phases)), ("nodes", .texts(nodes)), ("nodeSelectors", .texts(nodeLabels)),
            ("pods", .map(pods) { .texts($0) ?? .list([]) }),
        ])
    }
}

extension ManifestTree {
    fileprivate static func share(_ value: Percentage) -> ManifestTree? { .text(value.description) }

    /// netem's times have one unit: the largest that leaves a whole number.
    fileprivate static func shortDuration(_ value: Duration) -> ManifestTree? {
        let nanoseconds = value.nanoseconds
        let units: [(String, Int64)] = [
            ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000),
        ]
        guard nanoseconds > 0 else { return .text("0ms") }
        for (name, size) in units where nanoseconds % size == 0 { return .text("\(nanoseconds / size)\(name)") }
        return .text("\(nanoseconds)ns")
    }
}

extension MemorySize {
    /// Without the blank that people like to see: `100MB`, `50%`.
    fileprivate var manifestText: String { description.filter { $0 != " " } }
}
