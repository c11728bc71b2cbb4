import Experiments
import Foundation
import HTTPTypes
import Shared

extension LoadProfile {
    static let maxRequests = 50
    static let maxThresholds = 20

    /// - Throws: the first thing wrong with the file, with its line and field.
    public static func load(file: String) throws(Refusal) -> LoadProfile {
        try load(try Catalogue.text(of: file), file: file)
    }

    /// - Parameter text: of one YAML document.
    public static func load(_ text: String, file: String) throws(Refusal) -> LoadProfile {
        let fields = try ManifestLoader.document(text, file: file)
        try fields.allow(["name", "description", "base_url", "requests", "thresholds"])
        let name = try fields.require("name", fields.string("name"))
        guard isName(name) else {
            throw fields.refusal("name", "must be of small letters, digits and hyphens, at most 63")
        }
        let profile = LoadProfile(
            name: name, description: try fields.string("description") ?? "", file: file, baseURL: try baseURL(fields),
            thresholds: try thresholds(fields), requests: try requests(fields), text: text)
        // What only shows when everything is put together, such as a recall of what nobody remembers.
        do throws(LoadPlanError) {
            _ = try LoadPlan(
                model: .open(ArrivalSchedule(rate: 1, duration: .seconds(1))), seed: 0, runID: "",
                requests: profile.templates(targets: .init(all: "http://a")))
        } catch { throw fields.refusal("requests", error.description) }
        return profile
    }

    private static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count) && !name.hasPrefix("-")
            && name.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) }
    }

    private static func baseURL(_ fields: ManifestFields) throws(Refusal) -> String? {
        guard let url = try fields.string("base_url") else { return nil }
        guard isBaseURL(url) else { throw fields.refusal("base_url", "must be like http://127.0.0.1:5002") }
        return url
    }

    /// An absolute HTTP address, with a path at most.
    public static func isBaseURL(_ url: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: url.hasPrefix) else { return false }
        let rest = url.dropFirst(scheme.count)
        return rest.first.map { $0 != "/" } ?? false
            && rest.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"?#@ ".utf8.contains($0) }
    }

    private static func thresholds(_ fields: ManifestFields) throws(Refusal) -> [Hypothesis] {
        let thresholds = try fields.quantities("thresholds", Hypothesis.parse)
        guard thresholds.count <= maxThresholds else {
            throw fields.refusal("thresholds", "has more than \(maxThresholds) parts")
        }
        for clause in thresholds.flatMap(\.clauses) {
            // A load without a fault has no before and after, and nobody reads the books.
            guard case .metric(_, _, _, .during) = clause else {
                throw fields.refusal("thresholds", "'\(clause)' needs a run: a load has only its own numbers")
            }
        }
        return thresholds
    }

    private static func requests(_ fields: ManifestFields) throws(Refusal) -> [Request] {
        let all = try fields.objects("requests")
        guard (1...maxRequests).contains(all.count) else {
            throw fields.refusal("requests", "must be from 1 to \(maxRequests)")
        }
        var requests: [Request] = []
        for entry in all {
            let request = try Request(entry)
            guard !requests.contains(where: { $0.name == request.name }) else {
                throw entry.refusal("name", "'\(request.name)' is the name of another request")
            }
            requests.append(request)
        }
        return requests
    }
}

extension LoadProfile.Request {
    private static let fieldNames = [
        "name", "weight", "method", "service", "path", "headers", "body", "expect", "remember",
    ]
    private static let maxNameBytes = 63

    fileprivate init(_ fields: ManifestFields) throws(Refusal) {
        try fields.allow(Self.fieldNames)
        name = try fields.require("name", fields.string("name"))
        guard (1...Self.maxNameBytes).contains(name.utf8.count) else {
            throw fields.refusal("name", "must have from 1 to \(Self.maxNameBytes) bytes")
        }
        weight = try fields.integer("weight", in: RequestTemplate.weights) ?? 1
        method = try Self.method(fields)
        service = try fields.choice("service", of: LoadProfile.Service.self)
        path = try fields.require("path", fields.string("path"))
        guard path.hasPrefix("/") else { throw fields.refusal("path", "must begin with /") }
        let (body, isJSON) = try Self.body(fields)
        self.body = body
        var headers = try fields.stringMap("headers")
        if isJSON, !headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
            headers["Content-Type"] = "application/json"
        }
        self.headers = headers
        expectation = try fields.object("expect").map { (fields) throws(Refusal) in try AnswerExpectation(fields) }
        remembers = try Self.remembers(fields)
        // Placeholders and header names, so that the refusal knows the line of the request.
        do throws(LoadPlanError) { _ = try template(baseURL: "http://a") } catch {
            throw fields.refusal("name", error.description)
        }
    }

    private static func method(_ fields: ManifestFields) throws(Refusal) -> HTTPRequest.Method {
        let name = try fields.string("method") ?? "GET"
        guard let method = RequestTemplate.methods.first(where: { $0.rawValue == name }) else {
            let known = RequestTemplate.methods.map(\.rawValue).joined(separator: ", ")
            throw fields.refusal("method", "'\(name)' is not one of \(known)")
        }
        return method
    }

    /// A text as it is; a mapping or list as JSON.
    private static func body(_ fields: ManifestFields) throws(Refusal) -> (text: String?, isJSON: Bool) {
        switch fields.tree("body") {
        case nil: return (nil, false)
        case .text(let text): return (text, false)
        case let tree?: return (try fields.json(tree, at: "body"), true)
        }
    }

    private static func remembers(_ fields: ManifestFields) throws(Refusal) -> [String: JSONPointer] {
        var pointers: [String: JSONPointer] = [:]
        for (name, text) in try fields.stringMap("remember").sorted(by: { $0.key < $1.key }) {
            guard let pointer = JSONPointer(text) else {
                throw fields.refusal("remember", "'\(text)' is not a place like /payment_id")
            }
            pointers[name] = pointer
        }
        return pointers
    }
}

extension AnswerExpectation {
    fileprivate init(_ fields: ManifestFields) throws(Refusal) {
        try fields.allow(["status", "body_contains", "json"])
        let statuses = try fields.integers("status", in: 100...599)
        var values: [Value] = []
        if let json = try fields.object("json") {
            for key in json.keys {
                guard let pointer = JSONPointer(key) else {
                    throw json.refusal(key, "is not a place like /payment_id")
                }
                let text = try json.json(json.tree(key) ?? .plain("null"), at: key)
                guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else {
                    throw json.refusal(key, "is not a value that JSON has")
                }
                values.append(Value(pointer: pointer, value: value))
            }
        }
        self.init(statuses: Set(statuses), bodyContains: try fields.string("body_contains"), values: values)
    }
}

extension ManifestFields {
    /// `tree` as JSON: texts in quotes, numbers and truth values as they stand.
    fileprivate func json(_ tree: ManifestTree, at key: String) throws(Refusal) -> String {
        switch tree {
        case .text(let text): return Self.quoted(text)
        case .plain(let text):
            if text == "~" || text.isEmpty { return "null" }
            guard (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) != nil else {
                throw refusal(key, "has '\(text)', which JSON does not know: write it in quotes")
            }
            return text
        case .list(let trees):
            var parts: [String] = []
            for tree in trees { parts.append(try json(tree, at: key)) }
            return "[" + parts.joined(separator: ",") + "]"
        case .fields(let fields):
            var parts: [String] = []
            for field in fields { parts.append(Self.quoted(field.name) + ":" + (try json(field.value, at: key))) }
            return "{" + parts.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A string can always be encoded.
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
