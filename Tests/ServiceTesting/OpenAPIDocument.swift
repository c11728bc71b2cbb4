import Shared
import Yams

/// The endpoints that an OpenAPI document describes.
public enum OpenAPIDocument {
    /// `GET /health` and so on.
    public static func endpoints(in yaml: String) throws -> Set<String> {
        let document = try YAMLDecoder().decode(Document.self, from: yaml)
        return Set(
            document.paths.flatMap { path, item in
                item.keys.filter { $0 != "parameters" }.map { "\($0.uppercased()) \(path)" }
            })
    }

    /// What `GET /` lists, with itself, which it does not list.
    public static func endpoints(listedIn home: TestAnswer) -> Set<String> {
        guard case .array(let endpoints) = home["endpoints"] else { return [] }
        return Set(endpoints.compactMap(\.text)).union(["GET /"])
    }

    private struct Document: Decodable {
        let paths: [String: [String: Ignored]]
    }

    private struct Ignored: Decodable {
        init(from decoder: any Decoder) {}
    }
}
