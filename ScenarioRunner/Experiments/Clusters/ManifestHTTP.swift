import Foundation

extension HTTPChaosSpec {
    private static let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"]

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow([
            "abort", "code", "delay", "duration", "method", "mode", "patch", "path", "port", "remoteCluster",
            "replace", "request_headers", "response_headers", "selector", "target", "tls", "value",
        ])
        source = try ReplicaSelection(fields, namespace: namespace)
        target = try fields.require("target", fields.choice("target", of: Target.self))
        port = try fields.require("port", fields.integer("port", in: 1...65_535))
        path = try fields.string("path")
        method = try fields.string("method")
        code = try fields.integer("code", in: 0...Int(Int32.max))
        requestHeaders = try fields.stringMap("request_headers")
        responseHeaders = try fields.stringMap("response_headers")
        abort = try fields.bool("abort") ?? false
        delay = try fields.quantity("delay", GoDuration.parse)
        replace = try HTTPChaosSpec.replacement(fields)
        patch = try HTTPChaosSpec.patch(fields)
        tls = try HTTPChaosSpec.tls(fields)
        remoteCluster = try fields.string("remoteCluster")
        duration = try fields.duration()
        if let method, target == .request, !HTTPChaosSpec.methods.contains(method) {
            let known = HTTPChaosSpec.methods.joined(separator: ", ")
            throw fields.refusal("method", "'\(method)' is not one of \(known)")
        }
    }

    private static func replacement(_ fields: ManifestFields) throws(Refusal) -> Replacement? {
        guard let replace = try fields.object("replace") else { return nil }
        try replace.allow(["body", "code", "headers", "method", "path", "queries"])
        let body = try replace.string("body")
        if let body, Data(base64Encoded: body) == nil {
            throw replace.refusal("body", "must be in base64: the schema has bytes here")
        }
        return Replacement(
            body: body, code: try replace.integer("code", in: 0...Int(Int32.max)),
            headers: try replace.stringMap("headers"), method: try replace.string("method"),
            path: try replace.string("path"), queries: try replace.stringMap("queries"))
    }

    private static func patch(_ fields: ManifestFields) throws(Refusal) -> Patch? {
        guard let patch = try fields.object("patch") else { return nil }
        try patch.allow(["body", "headers", "queries"])
        let body = try patch.object("body")
        try body?.allow(["type", "value"])
        return Patch(
            bodyType: try body.map { body throws(Refusal) in try body.require("type", body.string("type")) },
            bodyValue: try body.map { body throws(Refusal) in try body.require("value", body.string("value")) },
            headers: try pairs(patch, "headers"), queries: try pairs(patch, "queries"))
    }

    private static func pairs(_ fields: ManifestFields, _ key: String) throws(Refusal) -> [[String]] {
        let lists = try fields.stringLists(key)
        guard lists.allSatisfy({ $0.count == 2 }) else {
            throw fields.refusal(key, "must be a list of pairs: [name, value]")
        }
        return lists
    }

    private static func tls(_ fields: ManifestFields) throws(Refusal) -> TLS? {
        guard let tls = try fields.object("tls") else { return nil }
        try tls.allow(["caName", "certName", "keyName", "secretName", "secretNamespace"])
        return TLS(
            caName: try tls.string("caName"), certName: try tls.require("certName", tls.string("certName")),
            keyName: try tls.require("keyName", tls.string("keyName")),
            secretName: try tls.require("secretName", tls.string("secretName")),
            secretNamespace: try tls.require("secretNamespace", tls.string("secretNamespace")))
    }
}
