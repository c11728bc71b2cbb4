@testable import Experiments

/// As much of kustomize as `k8s/` uses: resources, components, and strategic merge patches. Where kubectl is there, a test
/// holds it against the real one.
///
///     kustomization.yaml --resources--> documents --components--> more of them --patches--> what is applied
enum Kustomize {
    struct Trouble: Error, CustomStringConvertible { let description: String }

    /// What tells the elements of a list apart, by the name of the list (`patchMergeKey` in Kubernetes' API types). Any
    /// other list is replaced as a whole.
    private static let mergeKeys = [
        "containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath",
        "ports": "containerPort", "topologySpreadConstraints": "topologyKey",
    ]

    /// The documents of a folder with a kustomization.yaml.
    static func render(_ folder: String) throws -> [ManifestTree] { try render(folder, into: []) }

    private static func render(_ folder: String, into already: [ManifestTree]) throws -> [ManifestTree] {
        guard let settings = try Repository.documents("\(folder)/kustomization.yaml").first else { return already }
        var documents = already
        for resource in settings.texts("resources") {
            let path = join(folder, resource)
            documents += resource.hasSuffix(".yaml") ? try Repository.documents(path) : try render(path)
        }
        for component in settings.texts("components") {
            documents = try render(join(folder, component), into: documents)
        }
        for patch in settings.items("patches") {
            for change in try Repository.documents(join(folder, patch.text("path") ?? "")) {
                guard let index = documents.firstIndex(where: { $0.title == change.title }) else {
                    throw Trouble(description: "\(folder): \(change.title) is not there to be patched")
                }
                documents[index] = merge(documents[index], change)
            }
        }
        return documents.filter { $0["$patch"] == nil }
    }

    /// `k8s/overlays/production` and `../../base` make `k8s/base`.
    static func join(_ folder: String, _ path: String) -> String {
        path.split(separator: "/").reduce(into: folder.split(separator: "/")) { parts, part in
            if part == ".." { parts.removeLast() } else if part != "." { parts.append(part) }
        }.joined(separator: "/")
    }

    static func merge(_ base: ManifestTree, _ patch: ManifestTree) -> ManifestTree {
        guard case .fields(var fields) = base, case .fields(let changes) = patch else { return patch }
        if patch.text("$patch") == "delete" { return patch }
        for change in changes {
            let index = fields.firstIndex { $0.name == change.name }
            if change.value.isNull {
                if let index { fields.remove(at: index) }
            } else if let index {
                fields[index] = .init(change.name, merge(fields[index].value, change.value, named: change.name))
            } else {
                fields.append(change)
            }
        }
        return .fields(fields)
    }

    private static func merge(_ base: ManifestTree, _ patch: ManifestTree, named name: String) -> ManifestTree {
        guard let key = mergeKeys[name], case .list(var items) = base, case .list(let changes) = patch else {
            return merge(base, patch)
        }
        for change in changes {
            let index = items.firstIndex { $0.text(key) == change.text(key) }
            if change.text("$patch") == "delete" {
                if let index { items.remove(at: index) }
            } else if let index {
                items[index] = merge(items[index], change)
            } else {
                items.append(change)
            }
        }
        return .list(items)
    }
}
