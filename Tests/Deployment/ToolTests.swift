import Shared
import Testing
import Yams

@testable import Experiments

/// What Skaffold, Docker and Compose are told, against the manifests and the sources.
@Suite struct ToolTests {
    static let ports = [
        "scenario-runner": 8000, "payment-service": 5002, "inventory-service": 5003, "notification-service": 5004,
    ]

    @Test func skaffold() throws {
        let config = try #require(try Repository.documents("skaffold.yaml").first)
        let schema = try Schema.tools.get()
        #expect(schema.problems(config) == [])
        let artifact = try #require(config.items("build.artifacts").first)
        #expect(artifact.text("image").map { $0 + ":latest" } == Installation.image)
        #expect(Repository.exists(artifact.text("docker.dockerfile") ?? ""))
        let paths = config.texts("manifests.kustomize.paths")
        #expect(paths.count == 1)
        let installation = Installation(documents: try Kustomize.render(try #require(paths.first)))
        let forwards = config.items("portForward")
        #expect(
            Set(
                forwards.map {
                    "\($0.text("resourceName") ?? "") \($0.text("port") ?? "") \($0.text("localPort") ?? "")"
                })
                == Set(Self.ports.map { "\($0) \($1) \($1)" }))
        for forward in forwards {
            let service = installation.named("Service", forward.text("resourceName") ?? "")
            #expect(service?.items("spec.ports").first?.text("port") == forward.text("port"))
            #expect(forward.text("namespace") == Installation.namespace && forward.text("resourceType") == "service")
        }
    }

    // MARK: Compose

    /// With its anchors and merge keys written out.
    private func compose() throws -> ManifestTree {
        let text = try Repository.text("docker/compose.yaml")
        let tree = try #require(try ManifestTree.documents(text).first)
        return .fields(tree.merged.fields.filter { !$0.name.hasPrefix("x-") })
    }

    @Test func composeSaysOnlyWhatComposeKnows() throws {
        let schema = try Schema.tools.get()
        #expect(schema.problems(try compose(), "Compose", at: "") == [])
        let broken = try Repository.text("docker/compose.yaml").replacing("read_only:", with: "readonly:")
        let tree = try #require(try ManifestTree.documents(broken).first)
        let problems = schema.problems(tree.merged["services"]?.fields.first?.value ?? tree, "ComposeService", at: "")
        #expect(problems == ["readonly: no such field"])
    }

    @Test func composeIsTheSystem() throws {
        let kubernetes = Installation(documents: try Repository.documents("k8s/deployment.yaml"))
        let services = try compose()["services"]?.fields ?? []
        var replicas: [String: Int] = [:]
        for service in services {
            let type = service.value.text("environment.SERVICE_TYPE") ?? ""
            let name = type == "scenario-runner" ? type : "\(type)-service"
            replicas[name, default: 0] += service.value.at("scale")?.integer ?? 1
            let aliases = service.value.texts("networks.default.aliases")
            #expect(service.name == name || aliases == [name], "\(service.name) is found as \(name)")
            // Users enter by one of them.
            let published = service.value.texts("ports")
            let port = try #require(Self.ports[name])
            #expect(published == (service.name == name ? ["127.0.0.1:\(port):\(port)"] : []))

            #expect(service.value.text("image") == Installation.image && service.value.text("read_only") == "true")
            #expect(service.value.texts("cap_drop") == ["ALL"] && service.value.text("user") == "10001:10001")
            let known = try Rule.names(readBy: name)
            for variable in service.value.map("environment") {
                #expect(known.contains(variable.key), "\(service.name): nobody reads \(variable.key)")
                if let call = Call(from: name, url: variable.value) { #expect(Self.ports[call.to] == call.port) }
            }
            let limits = kubernetes.workload(name)?.containers.first?.map("resources.limits")
            let memory = limits?["memory"].map { $0.dropLast(2).lowercased() + "m" }
            #expect(service.value.text("mem_limit") == memory, "\(service.name)")
            #expect(
                service.value.text("cpus") == (limits?["cpu"] == "200m" ? "0.2" : limits?["cpu"]), "\(service.name)")
        }
        #expect(
            replicas == ["payment-service": 3, "inventory-service": 2, "notification-service": 2, "scenario-runner": 1])
    }

    // MARK: The image

    @Test func theImageSaysWhatItIs() throws {
        let dockerfile = try Repository.text("docker/Dockerfile")
        #expect(dockerfile.contains("ARG VERSION=\(Version.current)\n"))
        #expect(dockerfile.contains("USER 10001:10001"), "the number that the manifests run as")
        let entrypoint = try Repository.text("docker/entrypoint")
        let healthy = try Repository.text("docker/healthy")
        for (name, port) in Self.ports where name != "scenario-runner" {
            #expect(entrypoint.contains(name.dropLast("-service".count)))
            #expect(healthy.contains("\(name.dropLast("-service".count))) port=\(port)"))
        }
        #expect(healthy.contains("*) port=8000"))
        // What is copied out of the context is not kept from it.
        let ignored = try Repository.text(".dockerignore").split(separator: "\n")
        #expect(ignored.contains("*"))
        let sources = dockerfile.matches(of: /(?m)^COPY (?!--from)(.+) \S+$/).flatMap { $0.1.split(separator: " ") }
        #expect(sources.count >= 8)
        for source in sources {
            let top = source.split(separator: "/")[0].replacing("[d]", with: "d")
            #expect(ignored.contains { $0 == "!\(top)" }, "\(source)")
        }
    }
}

extension ManifestTree {
    /// With what `<<` brings put in its place; what a mapping says itself counts more.
    fileprivate var merged: ManifestTree {
        switch self {
        case .text, .plain: return self
        case .list(let items): return .list(items.map(\.merged))
        case .fields(let fields):
            let own = fields.filter { $0.name != "<<" }.map { Field($0.name, $0.value.merged) }
            let brought = fields.filter { $0.name == "<<" }.flatMap { $0.value.merged.fields }
            return .fields(own + brought.filter { field in !own.contains { $0.name == field.name } })
        }
    }
}
