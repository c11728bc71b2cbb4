import Testing

@testable import Experiments

/// Every rule finds what it is there to find: a rule that passes everything would pass these as well.
@Suite struct BrokenManifestTests {
    /// A mistake in an installation, and what is said of it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let rule: Rule
        let text: String
        let wrong: String
        let said: String
        var way = "k8s/overlays/minikube"

        var testDescription: String { "\(rule): \(wrong.split(separator: "\n").first ?? "")" }
    }

    static let production = "k8s/overlays/production"

    static let mistakes = [
        Mistake(rule: .schema, text: "replicas: 3", wrong: "replica: 3", said: "spec.replica: no such field"),
        Mistake(rule: .schema, text: "replicas: 3", wrong: "replicas: \"3\"", said: "3 is no integer"),
        Mistake(rule: .schema, text: "mountPath: /data", wrong: "readOnly: true", said: "mountPath: is missing"),
        Mistake(rule: .schema, text: "cpu: 200m", wrong: "cpu: 200x", said: "200x is no quantity"),
        Mistake(rule: .schema, text: "IfNotPresent", wrong: "IfMissing", said: "is none of Always, IfNotPresent"),
        Mistake(rule: .schema, text: "kind: Role\n", wrong: "kind: Rule\n", said: "no schema of Rule"),
        Mistake(rule: .namespaces, text: "namespace: payment-chaos", wrong: "namespace: default", said: "is not in"),
        Mistake(
            rule: .namespaces, text: "enforce: restricted", wrong: "enforce: baseline", said: "restricted standard"),
        Mistake(
            rule: .references, text: "claimName: payment-data", wrong: "claimName: payments", said: "no claim payments"),
        Mistake(
            rule: .references, text: "      app: payment-service\n  strategy", wrong: "      app: payments\n  strategy",
            said: "payment-service: selector"),
        Mistake(
            rule: .references, text: "serviceAccountName: scenario-runner", wrong: "serviceAccountName: runner",
            said: "no account runner"),
        Mistake(
            rule: .references, text: "name: tmp\n              mountPath", wrong: "name: temp\n              mountPath",
            said: "no volume temp"),
        Mistake(rule: .services, text: "targetPort: http", wrong: "targetPort: web", said: "port web leads to no such"),
        Mistake(rule: .services, text: "containerPort: 5003", wrong: "containerPort: 5004", said: "Service inventory"),
        Mistake(rule: .probes, text: "path: /health/ready", wrong: "path: /ready", said: "readinessProbe asks /ready"),
        Mistake(rule: .probes, text: "path: /health\n", wrong: "path: /healthz\n", said: "asks /healthz"),
        Mistake(rule: .probes, text: "livenessProbe:", wrong: "liveness:", said: "no livenessProbe"),
        Mistake(rule: .resources, text: "memory: 128Mi", wrong: "memory: 256Mi", said: "payment-service/payment"),
        Mistake(rule: .security, text: "runAsUser: 10001", wrong: "runAsUser: 0", said: "may run as root"),
        Mistake(rule: .security, text: "drop: [ALL]", wrong: "drop: [NET_RAW]", said: "is not restricted"),
        Mistake(
            rule: .security, text: "readOnlyRootFilesystem: true", wrong: "readOnlyRootFilesystem: false",
            said: "is not restricted"),
        Mistake(rule: .security, text: "enableServiceLinks: false", wrong: "hostNetwork: false", said: "environment"),
        Mistake(
            rule: .accounts, text: "automountServiceAccountToken: false\n      # A Service",
            wrong: "automountServiceAccountToken: true\n      # A Service", said: "payment-service: token true"),
        Mistake(
            rule: .environment, text: "name: INVENTORY_SERVICE\n", wrong: "name: INVENTORY_ADDRESS\n",
            said: "nobody reads INVENTORY_ADDRESS"),
        Mistake(
            rule: .environment, text: "inventory-service:5003", wrong: "inventory-service:5004", said: "no Service"),
        Mistake(rule: .environment, text: "value: payment\n", wrong: "value: pay\n", said: "SERVICE_TYPE=pay"),
        Mistake(
            rule: .endings, text: "command: [sleep, \"5\"]", wrong: "command: [sleep, \"1\"]", said: "requests are lost"
        ),
        Mistake(
            rule: .endings, text: "terminationGracePeriodSeconds: 30", wrong: "terminationGracePeriodSeconds: 20",
            said: "payment-service: requests are lost"),
        Mistake(
            rule: .claims, text: "topologyKey: kubernetes.io/hostname",
            wrong: "topologyKey: topology.kubernetes.io/zone",
            said: "may be put on another node"),
        Mistake(
            rule: .claims, text: "type: Recreate", wrong: "type: RollingUpdate", said: "scenario-runner: may be put"),
        Mistake(
            rule: .budgets, text: "maxUnavailable: 1", wrong: "maxUnavailable: 0", said: "lets nobody go",
            way: production
        ),
        Mistake(
            rule: .connections, text: "maxReplicas: 6", wrong: "maxReplicas: 7", said: "208 connections, of 200",
            way: production),
        Mistake(
            rule: .rights, text: "patch, watch]", wrong: "watch]", said: "may not patch networkchaos.chaos-mesh.org"),
        Mistake(
            rule: .rights, text: "resources: [pods]", wrong: "resources: [pods, secrets]", said: "may list secrets"),
        Mistake(
            rule: .rights, text: "kind: ServiceAccount\n    name: scenario-runner",
            wrong: "kind: ServiceAccount\n    name: default", said: "default has rights"),
        Mistake(
            rule: .images, text: "payment-system:latest", wrong: "payment-system:1.0.0", said: "payment-system:1.0.0"),
    ]

    @Test(arguments: mistakes)
    func isFound(mistake: Mistake) throws {
        let sources = try Self.sources(of: mistake.way)
        #expect(sources.contains { $0.contains(mistake.text) }, "the mistake can be made")
        let documents = try sources.flatMap { text in
            try ManifestTree.documents(text.replacing(mistake.text, with: mistake.wrong))
        }
        let problems = try mistake.rule.problems(Installation(documents: documents))
        #expect(problems.contains { $0.contains(mistake.said) }, "\(problems)")
    }

    /// Every rule is among those that were shown to find something.
    @Test func everyRuleIsShown() {
        #expect(Set(Rule.all.map(\.description)) == Set(Self.mistakes.map(\.rule.description)))
    }

    @Test func aClosedDoorIsNoticed() throws {
        let text = try Repository.text("k8s/deployment.yaml")
        let closed = try ManifestTree.documents(text.replacing("port: 5003\n    - to:", with: "port: 5033\n    - to:"))
        let reach = Reach(installation: Installation(documents: closed))
        #expect(!reach.admits(Call("payment-service", "inventory-service", 5003)))
        let open = closed.filter { $0.kind != "NetworkPolicy" }
        #expect(
            Reach(installation: Installation(documents: open)).leaves("inventory-service", to: .anywhere, port: 443))
    }

    /// The files behind a way to install; where patches change them, what they make.
    private static func sources(of way: String) throws -> [String] {
        if way == production { return try Kustomize.render(way).map { try $0.yaml } }
        return try [Repository.text("k8s/deployment.yaml"), Repository.text("k8s/locust/master.yaml")]
    }
}
