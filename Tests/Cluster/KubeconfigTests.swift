import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

@Suite struct KubeconfigTests {
    private func write(_ text: String, _ name: String, in folder: URL) throws -> String {
        let file = folder.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private static let first = """
        current-context: ""
        clusters:
        - name: a
          cluster: {server: "https://a.test:6443/", certificate-authority: ca.crt}
        contexts:
        - name: dev
          context: {cluster: a, user: alice, namespace: shop}
        - name: bare
          context: {cluster: b, user: bob}
        """
    private static let second = """
        current-context: dev
        clusters:
        - name: a
          cluster: {server: "https://never.test"}
        - name: b
          cluster: {server: "https://b.test/k8s/clusters/c-1", insecure-skip-tls-verify: true}
        users:
        - name: alice
          user: {token: secret-of-alice}
        - name: bob
          user: {username: bob, password: secret-of-bob}
        """

    @Test func filesAreMergedAndTheFirstWins() async throws {
        try await withTemporaryFolder { folder in
            let files = [try write(Self.first, "1", in: folder), try write(Self.second, "2", in: folder)]
            try Data("pem".utf8).write(to: folder.appending(path: "ca.crt"))
            let environment = ["KUBECONFIG": "/nowhere:\(files.joined(separator: ":"))"]
            let access = try ClusterAccess.kubeconfig(environment: environment)
            #expect(access.server == "https://a.test:6443")
            #expect(access.namespace == "shop")
            #expect(access.origin == .kubeconfig(context: "dev"))
            #expect(access.tls.authorities == .file(folder.path + "/ca.crt"))
            #expect(try await Credentials(access).current().authorization == "Bearer secret-of-alice")

            let other = try ClusterAccess.kubeconfig(context: "bare", environment: environment)
            #expect(other.server == "https://b.test/k8s/clusters/c-1")
            #expect(other.namespace == "default")
            #expect(!other.tls.verifiesServer)
            let basic = Data("bob:secret-of-bob".utf8).base64EncodedString()
            #expect(try await Credentials(other).current().authorization == "Basic \(basic)")
            #expect(
                try ClusterAccess.kubeconfig(context: "bare", namespace: "mine", environment: environment).namespace
                    == "mine")
        }
    }

    @Test(arguments: [
        ("clusters: [{name: c, cluster: {server: 'ftp://x'}}]", "server: 'ftp://x' is no https URL"),
        (
            "clusters: [{name: c, cluster: {server: 'https://x', proxy-url: 'http://p'}}]",
            "proxy-url: connections through"
        ),
        (
            "clusters: [{name: c, cluster: {server: 'https://x', certificate-authority: none.crt}}]",
            "certificate-authority: FOLDER/none.crt cannot be read"
        ),
        (
            "clusters: [{name: c, cluster: {server: 'https://x', certificate-authority-data: '%%%'}}]",
            "certificate-authority-data is not base64"
        ),
        ("clusters: []", "names a cluster that is not there: c"),
        ("clusters: {", "is no kubeconfig"),
    ])
    func whatCannotBeUsedIsSaid(clusters: String, reason: String) async throws {
        try await withTemporaryFolder { folder in
            let text = "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n\(clusters)\n"
            let file = try write(text, "config", in: folder)
            let error = #expect(throws: ClusterError.self) {
                try ClusterAccess.kubeconfig(path: file, environment: [:])
            }
            #expect(error?.kind == .badConfiguration)
            let expected = reason.replacing("FOLDER", with: folder.path)
            #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
        }
    }

    @Test(arguments: [
        ("auth-provider: {name: gcp}", "auth-provider: 'gcp'"), ("as: admin", "as: nobody is impersonated"),
        ("as-groups: [admins]", "as-groups: nobody is impersonated"),
        ("as-uid: '7'", "as-uid: nobody is impersonated"),
        ("as-user-extra: {scopes: [all]}", "as-user-extra: nobody is impersonated"),
        ("client-certificate-data: Y2VydA==", "client-certificate: there is no client-key"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}", "exec.apiVersion:"),
        (
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}",
            "exec.interactiveMode:"
        ),
    ])
    func usersThatCannotBeUsedAreRefused(user: String, reason: String) async throws {
        try await withTemporaryFolder { folder in
            let text = """
                current-context: x
                contexts: [{name: x, context: {cluster: c, user: u}}]
                clusters: [{name: c, cluster: {server: 'https://x'}}]
                users:
                - name: u
                  user: {\(user)}
                """
            let file = try write(text, "config", in: folder)
            let error = #expect(throws: ClusterError.self) {
                try ClusterAccess.kubeconfig(path: file, environment: [:])
            }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
            #expect(error?.remedy != nil)
        }
    }

    @Test func aServerNameIsConnectedToElsewhere() async throws {
        try await withTemporaryFolder { folder in
            let text = """
                current-context: x
                contexts: [{name: x, context: {cluster: c}}]
                clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443/prefix', tls-server-name: api.test}}]
                """
            let access = try ClusterAccess.kubeconfig(path: write(text, "config", in: folder), environment: [:])
            #expect(access.server == "https://api.test:6443/prefix")
            #expect(access.connectTo == "10.0.0.1:6443")
        }
    }

    @Test func nothingSecretIsPrinted() {
        var access = ClusterAccess(server: "https://x", namespace: "n", origin: .kubeconfig(context: "c"))
        for login in [Login.token("hidden"), .password(user: "me", password: "hidden")] {
            access.login = login
            access.tls.identity = .init(certificate: .data(Data("c".utf8)), key: .data(Data("hidden".utf8)))
            var text = "\(access) \(String(reflecting: access))"
            dump(access, to: &text)
            #expect(!text.contains("hidden"), "\(text)")
        }
    }

    // MARK: In a pod

    @Test func aPodReadsItsTokenEachTime() async throws {
        let folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        let files = Files([
            "\(folder)/namespace": "payment-chaos", "\(folder)/token": "one\n", "\(folder)/ca.crt": "pem",
        ])
        let access = try ClusterAccess.inCluster(
            environment: ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"], readFile: files.read
        )
        #expect(access.server == "https://[fd00::1]:6443")
        #expect(access.namespace == "payment-chaos")
        #expect(access.tls.authorities == .file("\(folder)/ca.crt"), "it may change too")
        let credentials = Credentials(access)
        #expect(try await credentials.current().authorization == "Bearer one")
        files.write("\(folder)/token", "two")
        #expect(try await credentials.current().authorization == "Bearer two")
        files.write("\(folder)/token", "")
        let error = await #expect(throws: ClusterError.self) { try await credentials.current() }
        #expect(error?.kind == .unauthorized)
    }

    @Test func whereThereIsNoPodThatIsSaid() {
        for environment in [[:], ["KUBERNETES_SERVICE_HOST": "10.96.0.1"]] {
            let error = #expect(throws: ClusterError.self) {
                try ClusterAccess.inCluster(environment: environment) { _ in nil }
            }
            #expect(error?.kind == .badConfiguration)
            #expect(error?.remedy?.contains("service account") == true)
        }
    }

    // MARK: Plugins

    private func plugin(_ script: String, in folder: URL, version: String = "v1") throws -> ClusterAccess {
        let program = folder.appending(path: "plugin.sh")
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let text = """
            current-context: x
            contexts: [{name: x, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: 'https://x'}}]
            users:
            - name: u
              user:
                exec:
                  apiVersion: client.authentication.k8s.io/\(version)
                  command: ./plugin.sh
                  args: [get-token]
                  env: [{name: PROFILE, value: dev}]
                  installHint: get it from us
                  interactiveMode: IfAvailable
                  provideClusterInfo: true
            """
        return try ClusterAccess.kubeconfig(path: write(text, "config", in: folder), environment: [:])
    }

    private static func answer(_ status: String, version: String = "v1") -> String {
        """
        {"apiVersion": "client.authentication.k8s.io/\(version)", "kind": "ExecCredential", "status": {\(status)}}
        """
    }

    @Test(arguments: ["v1", "v1beta1"])
    func aPluginIsAskedAgainBeforeItsAnswerRunsOut(version: String) async throws {
        try await withTemporaryFolder { folder in
            let now = UnixTime(milliseconds: 1_800_000_000_000)
            let later = KubernetesTime.text(now.advanced(bySeconds: 60))
            let answer = Self.answer(
                "\"token\": \"'$PROFILE$1$n'\", \"expirationTimestamp\": \"\(later)\"", version: version)
            let access = try plugin(
                "n=$(cat runs 2>/dev/null || echo 0); n=$((n+1)); cd \(folder.path); echo $n > runs; "
                    + "echo \"$KUBERNETES_EXEC_INFO\" > asked; echo '\(answer)'",
                in: folder, version: version)
            let clock = Clock(now)
            let credentials = Credentials(access) { clock.time }
            let first = try await credentials.current().authorization
            #expect(first == "Bearer devget-token1")
            #expect(try await credentials.current().authorization == first, "not asked again while it is good")
            clock.time = now.advanced(bySeconds: 55)
            _ = try await credentials.current()
            let asked = try String(contentsOfFile: folder.path + "/asked", encoding: .utf8)
            #expect(asked.contains(#""server":"https:\/\/x""#) && asked.contains(#""interactive":false"#), "\(asked)")
            #expect(await credentials.refused(), "after a 401 it is asked anew")
        }
    }

    @Test func aPluginIsToldAllOfTheCluster() async throws {
        try await withTemporaryFolder { folder in
            _ = try write("authority\n", "ca.pem", in: folder)
            let text = """
                current-context: x
                contexts: [{name: x, context: {cluster: c, user: u}}]
                clusters:
                - name: other
                  cluster: {server: 'https://y'}
                - name: c
                  cluster:
                    server: https://x:6443
                    certificate-authority: ca.pem
                    tls-server-name: kubernetes
                    insecure-skip-tls-verify: false
                    extensions:
                    - {name: someone.else, extension: 1}
                    - name: client.authentication.k8s.io/exec
                      extension: {audience: "0123", scopes: [a], ttl: 60, quiet: true}
                users:
                - name: u
                  user:
                    exec: {apiVersion: client.authentication.k8s.io/v1, command: x, provideClusterInfo: true}
                """
            let access = try ClusterAccess.kubeconfig(path: write(text, "config", in: folder), environment: [:])
            guard case .plugin(let plugin) = access.login else {
                Issue.record("no plugin")
                return
            }
            let told = try JSONDecoder().decode(JSONValue.self, from: Data(plugin.question.utf8))
            #expect(
                told["spec"]?["cluster"]
                    == .object([
                        "server": .string("https://x:6443"), "tls-server-name": .string("kubernetes"),
                        "insecure-skip-tls-verify": .bool(false),
                        "certificate-authority-data": .string(Data("authority\n".utf8).base64EncodedString()),
                        "config": .object([
                            "audience": .string("0123"), "scopes": .array([.string("a")]), "ttl": .integer(60),
                            "quiet": .bool(true),
                        ]),
                    ]))
        }
    }

    @Test func aPluginMayGiveACertificate() async throws {
        try await withTemporaryFolder { folder in
            let answer = Self.answer(#""clientCertificateData": "cert", "clientKeyData": "key""#)
            let current = try await Credentials(plugin("echo '\(answer)'", in: folder)).current()
            #expect(current.authorization == nil)
            #expect(
                current.identity
                    == .init(certificate: .data(Data("cert".utf8)), key: .data(Data("key".utf8))))
        }
    }

    @Test(arguments: [
        ("echo no session >&2; exit 1", "failed: no session"), ("echo '{}'", "did not write an ExecCredential"),
        ("echo '\(KubeconfigTests.answer("", version: "v1"))'", "gave neither a token nor a certificate"),
        ("echo '\(KubeconfigTests.answer("", version: "v9"))'", "wrote client.authentication.k8s.io/v9"),
    ])
    func aPluginThatFailsSaysWhy(script: String, reason: String) async throws {
        try await withTemporaryFolder { folder in
            let credentials = Credentials(try plugin(script, in: folder))
            let error = await #expect(throws: ClusterError.self) { try await credentials.current() }
            #expect(error?.kind == .unauthorized)
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func aPluginThatHangsIsKilled() async throws {
        try await withTemporaryFolder { folder in
            let access = try plugin("sleep 300; echo late", in: folder)
            guard case .plugin(var plugin) = access.login else {
                Issue.record("no plugin")
                return
            }
            plugin.timeout = .milliseconds(300)
            let error = await #expect(throws: ClusterError.self) { try await plugin.ask() }
            #expect(error?.description.contains("has not answered within 300ms") == true)
        }
    }

    @Test func aPluginThatIsMissingIsNamedWithItsHint() async throws {
        try await withTemporaryFolder { folder in
            let access = try plugin("", in: folder)
            try FileManager.default.removeItem(at: folder.appending(path: "plugin.sh"))
            let error = await #expect(throws: ClusterError.self) { try await Credentials(access).current() }
            #expect(error?.remedy == "get it from us")
        }
    }
}

/// A clock that a test sets.
final class Clock: Sendable {
    private let value: Locked<UnixTime>
    init(_ time: UnixTime) { value = Locked(time) }
    var time: UnixTime {
        get { value.value }
        set { value.value = newValue }
    }
}

/// Files that are only in memory.
final class Files: Sendable {
    private let texts: Locked<[String: String]>
    init(_ texts: [String: String]) { self.texts = Locked(texts) }
    func write(_ path: String, _ text: String) { texts.value[path] = text }
    @Sendable func read(_ path: String) -> String? { texts.value[path] }
}
