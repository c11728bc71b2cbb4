import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

/// One call after the other, over real TLS.
@Suite(.timeLimit(.minutes(1)))
struct KubernetesAPITests {
    private func failure(
        _ standIn: StandIn, access: ClusterAccess? = nil, timing: ClusterTiming = .quick,
        sourceLocation: SourceLocation = #_sourceLocation, _ call: (KubernetesAPI) async throws -> Void
    ) async throws -> ClusterError {
        try await standIn.withCluster(access, timing: timing) { cluster in
            try #require(
                await #expect(throws: ClusterError.self, sourceLocation: sourceLocation) {
                    try await call(cluster.api)
                })
        }
    }

    private func answers(_ cluster: ChaosCluster) async throws {
        let version = try await cluster.api.version()
        #expect(version == "v1.34.0")
    }

    // MARK: Who we are

    @Test func aTokenThatWasReplacedIsReadAnew() async throws {
        try await StandIn.run { standIn in
            try await withTemporaryFolder { folder in
                let token = folder.appending(path: "token")
                try Data("good".utf8).write(to: token)
                try await standIn.withCluster(standIn.access(user: "tokenFile: \(token.path)")) { cluster in
                    #expect(try await cluster.api.version() == "v1.34.0")
                    try await standIn.set(["tokens": .array([.string("newer")])])
                    let refused = await #expect(throws: ClusterError.self) { try await cluster.api.version() }
                    #expect(refused?.kind == .unauthorized)
                    #expect(refused?.description.contains("good") == false, "no error names a token")
                    try Data("newer".utf8).write(to: token)
                    #expect(try await cluster.api.version() == "v1.34.0")
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func aClientCertificateIsShown(asData: Bool) async throws {
        try await StandIn.run { standIn in
            try await standIn.set(["needs_certificate": .bool(true)])
            let refused = try await failure(standIn) { _ = try await $0.version() }
            #expect(refused.kind == .unauthorized)
            let certificates = try TestCertificates.shared.get()
            func part(_ field: String, _ file: String) throws -> String {
                asData
                    ? "\(field)-data: \(Data(try certificates.text(file).utf8).base64EncodedString())"
                    : "\(field): \(certificates.path(file))"
            }
            let user = try "\(part("client-certificate", "client.crt"))\n    \(part("client-key", "client.key"))"
            let authorities = Data(try certificates.text("ca.crt").utf8).base64EncodedString()
            let access = try standIn.access(user: user, cluster: "certificate-authority-data: \(authorities)")
            try await standIn.withCluster(access) { try await answers($0) }
        }
    }

    @Test func anAPIServerWithAnotherCAIsNotTrusted() async throws {
        try await StandIn.run { standIn in
            let other = try TestCertificates.shared.get().path("other.crt")
            for cluster in ["certificate-authority: \(other)", "certificate-authority-data: \(try pem(other))", ""] {
                let error = try await failure(standIn, access: standIn.access(cluster: cluster)) {
                    _ = try await $0.version()
                }
                #expect(error.kind == .untrusted, "\(error)")
                #expect(error.remedy?.contains("certificate-authority") == true)
            }
            #expect(try await standIn.calls().isEmpty, "no token was sent")
            try await standIn.withCluster(standIn.access(cluster: "insecure-skip-tls-verify: true")) {
                try await answers($0)
            }
        }
    }

    /// As the kubelet changes it in a pod when the cluster's CA does.
    @Test func theCAInAFileIsReadForEveryConnection() async throws {
        try await StandIn.run { standIn in
            let file = FileManager.default.temporaryDirectory.appending(path: "ca-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: file) }
            let certificates = try TestCertificates.shared.get()
            try Data(certificates.text("other.crt").utf8).write(to: file)
            try await standIn.withCluster(standIn.access(cluster: "certificate-authority: \(file.path)")) { cluster in
                let error = await #expect(throws: ClusterError.self) { _ = try await cluster.api.version() }
                #expect(error?.kind == .untrusted)
                try Data(certificates.text("ca.crt").utf8).write(to: file)
                try await answers(cluster)
            }
        }
    }

    private func pem(_ file: String) throws -> String {
        try Data(contentsOf: URL(fileURLWithPath: file)).base64EncodedString()
    }

    @Test func theCertificateMayBearAnotherName() async throws {
        try await StandIn.run { standIn in
            let authorities = try TestCertificates.shared.get().path("ca.crt")
            let named = try standIn.access(
                cluster: "certificate-authority: \(authorities)\n    tls-server-name: kubernetes.test")
            try await standIn.withCluster(named) { try await answers($0) }
            let wrong = try standIn.access(
                cluster: "certificate-authority: \(authorities)\n    tls-server-name: somewhere.else")
            #expect(try await failure(standIn, access: wrong) { _ = try await $0.version() }.kind == .untrusted)
        }
    }

    // MARK: What the server says

    @Test func whatRBACRefusesIsNamed() async throws {
        try await StandIn.run { standIn in
            try await standIn.set(["denied": .array([.string("list pods")])])
            let error = try await failure(standIn) { _ = try await $0.list(.pods, as: PodObject.self) }
            #expect(error.kind == .forbidden)
            #expect(error.detail.hasPrefix("RBAC does not allow us to list pods in the namespace payment-chaos"))
            #expect(error.remedy?.hasPrefix("bind a Role with 'list pods' in payment-chaos") == true)
        }
    }

    @Test func missingKindsAreToldFromMissingObjects() async throws {
        try await StandIn.run { standIn in
            let get: (KubernetesAPI) async throws -> Void = {
                _ = try await $0.get(ChaosKind.network.resource, "x", as: ChaosObject.self)
            }
            #expect(try await failure(standIn, get).kind == .notFound)
            try await standIn.set(["crds": .bool(false)])
            let error = try await failure(standIn, get)
            #expect(error.kind == .chaosMeshMissing)
            #expect(error.remedy?.contains("helm install chaos-mesh") == true)
        }
    }

    @Test func throttlingIsWaitedForWithinTheDeadline() async throws {
        try await StandIn.run { standIn in
            try await standIn.trouble(
                "status", times: 2, ["code": .integer(429), "headers": .object(["Retry-After": .string("0")])])
            try await standIn.withCluster { try await answers($0) }
            #expect(try await standIn.calls().count == 3)
            try await standIn.trouble(
                "status", times: 9, ["code": .integer(429), "headers": .object(["Retry-After": .string("3600")])])
            let error = try await failure(standIn) { _ = try await $0.version() }
            #expect(error.kind == .throttled)
            #expect(error.retryAfter == .seconds(3600))
            #expect(try await standIn.calls().count == 4, "not asked again before its time")
        }
    }

    @Test(arguments: [
        (500, ClusterError.Kind.serverError), (503, .serverError), (400, .invalid), (422, .invalid), (409, .conflict),
        (410, .gone),
    ])
    func everyStatusHasItsKind(code: Int, kind: ClusterError.Kind) async throws {
        try await StandIn.run { standIn in
            try await standIn.trouble("status", times: 1, ["code": .integer(Int64(code))])
            let error = try await failure(standIn) { _ = try await $0.version() }
            #expect(error.kind == kind)
            #expect(error.detail.contains("asked for by the test"), "the server's own words")
        }
    }

    @Test(arguments: [
        (
            500, "Internal error occurred: failed calling webhook \"mnetworkchaos.kb.io\": connect: connection refused",
            ClusterError.Kind.webhookSilent, "kubectl -n chaos-mesh get pods"
        ),
        (
            403, "admission webhook \"vauth.kb.io\" denied the request: x is forbidden on namespace y", .forbidden,
            "'create'"
        ),
        (403, "admission webhook \"vnetworkchaos.kb.io\" denied the request: spec.delay: bad", .invalid, ""),
    ])
    func webhooksAreToldFromRBAC(code: Int, message: String, kind: ClusterError.Kind, remedy: String) async throws {
        try await StandIn.run { standIn in
            try await standIn.trouble(
                "status", times: 1, ["code": .integer(Int64(code)), "message": .string(message)])
            let error = try await failure(standIn) { _ = try await $0.version() }
            #expect(error.kind == kind)
            #expect(remedy.isEmpty || error.remedy?.contains(remedy) == true)
        }
    }

    @Test(arguments: [
        ("garbage", ClusterError.Kind.brokenAnswer), ("nonsense", .brokenAnswer), ("close", .unreachable),
        ("cut", .unreachable),
    ])
    func brokenAnswersAreSaidToBe(what: String, kind: ClusterError.Kind) async throws {
        try await StandIn.run { standIn in
            try await standIn.trouble(what, times: 5)
            let error = try await failure(standIn) { _ = try await $0.version() }
            #expect(error.kind == kind, "\(error)")
        }
    }

    @Test func aServerThatHangsEndsByTheDeadline() async throws {
        try await StandIn.run { standIn in
            try await standIn.trouble("hang", times: 1)
            var timing = ClusterTiming.quick
            timing.request = .seconds(2)
            let error = try await failure(standIn, timing: timing) { _ = try await $0.version() }
            #expect(error.kind == .timedOut)
            #expect(error.remedy?.contains("https://127.0.0.1:\(standIn.port)") == true)
        }
    }

    @Test func nobodyThereIsSaid() async throws {
        let access = try await StandIn.run { try $0.access() }
        let cluster = ChaosCluster(access, calls: [], timing: .quick, logger: LogLines().logger())
        let error = await #expect(throws: ClusterError.self) { try await cluster.api.version() }
        #expect(error?.kind == .unreachable)
        #expect(error?.remedy?.contains("no proxy is used") == true)
        await cluster.api.shutdown()
    }

    // MARK: Lists

    @Test func longListsComeInPages() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods(TestPods.all)
            try await standIn.set(["page": .integer(3)])
            try await standIn.withCluster { cluster in
                let pods = try await cluster.pods.refresh().pods
                #expect(pods.count == 7)
                #expect(pods.map(\.name) == pods.map(\.name).sorted())
                let asked = try await standIn.calls().filter { $0.verb == "list" }
                #expect(asked.count == 3)
                #expect(asked.allSatisfy { $0.query["limit"] == "250" })
                // The second page has become too old: from the beginning.
                try await standIn.trouble("status", verb: "list", times: 1, ["code": .integer(410)])
                #expect(try await cluster.pods.refresh().pods.count == 7)
            }
        }
    }

    @Test func aPodIsReadInFull() async throws {
        try await StandIn.run { standIn in
            try await standIn.putPods([TestPods.pod("payment-a", app: "payment-service")])
            try await standIn.withCluster { cluster in
                let pod = try #require(try await cluster.pods.refresh().pods.first)
                #expect(pod.name == "payment-a" && pod.namespace == "payment-chaos" && !pod.uid.isEmpty)
                #expect(pod.labels["app"] == "payment-service")
                #expect(pod.phase == "Running" && pod.isReady && !pod.isBeingDeleted)
                #expect(pod.address?.hasPrefix("10.244.0.") == true && pod.node == "minikube")
                #expect(pod.owner == "ReplicaSet/payment-service-5d4f8c7b9")
                #expect(
                    pod.containers
                        == [.init(name: "payment-service", isReady: true, restarts: 0, id: "containerd://payment-a")])
                #expect(cluster.pods.snapshot().pods == [pod])
            }
        }
    }
}
