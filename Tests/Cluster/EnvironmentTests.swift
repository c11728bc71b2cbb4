import Cluster
import Testing

@Suite struct EnvironmentTests {
    private func cluster(_ variables: [String: String], namespace: String?) -> KubernetesEnvironment? {
        KubernetesEnvironment.detect(environment: variables) { path in
            path == "/var/run/secrets/kubernetes.io/serviceaccount/namespace" ? namespace : nil
        }
    }

    @Test func aPodHasAnAddressAndANamespace() {
        let host = ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]
        #expect(cluster(host, namespace: "payment-chaos\n")?.namespace == "payment-chaos")
        #expect(cluster(host, namespace: nil) == nil)
        #expect(cluster(host, namespace: " \n") == nil)
        #expect(cluster([:], namespace: "payment-chaos") == nil)
        #expect(cluster(["KUBERNETES_SERVICE_HOST": ""], namespace: "payment-chaos") == nil)
    }

    @Test(
        arguments: [
            (nil, nil, .local), (nil, "payment-chaos", .production), (nil, "shop-dev", .local), (nil, "test", .local),
            (nil, "contest", .production), ("local", "payment-chaos", .local), ("production", nil, .production),
        ] as [(String?, String?, RunnerEnvironment)])
    func theSettingWinsThenTheNamespace(setting: String?, namespace: String?, expected: RunnerEnvironment) throws {
        var variables = ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]
        variables[RunnerEnvironment.variable] = setting
        let detected = try RunnerEnvironment.detect(
            environment: variables, cluster: cluster(variables, namespace: namespace))
        #expect(detected == expected)
        #expect(detected.cooldownMinutes == (expected == .local ? 1 : 5))
    }

    @Test(arguments: ["", "Local", "prod", " local"])
    func aMisspeltSettingIsAnError(setting: String) {
        let error = #expect(throws: RunnerEnvironment.UnknownEnvironment.self) {
            try RunnerEnvironment.detect(environment: [RunnerEnvironment.variable: setting], cluster: nil)
        }
        #expect(error?.description == "SCENARIO_RUNNER_ENVIRONMENT=\(setting): must be local or production")
    }
}
