import HTTPTypes

/// Requests that every endpoint with a JSON body must refuse alike, whatever fields it takes.
public enum BadBodies {
    /// Each with the status of the contract.
    public static let all: [(body: String, status: Int)] = [
        ("", 400), ("{", 400), ("{\"a\":NaN}", 400), ("{\"a\":}", 400), ("nonsense", 400), ("{} {}", 400),
        ("[]", 422), ("[{}]", 422), ("null", 422), ("true", 422), ("5", 422), ("\"text\"", 422),
        ("{\"padding\":\"" + String(repeating: "x", count: 65 * 1024) + "\"}", 413),
    ]

    /// The failures of one endpoint, as text to compare with none.
    public static func failures(_ client: TestClient, _ path: String) async throws -> [String] {
        var failures: [String] = []
        for (body, status) in all {
            let answer = try await client.post(path, body)
            if answer.status != status || !answer.isProblem { failures.append("\(body.prefix(20)): \(answer.text)") }
        }
        for type in [nil, "text/plain", "application/x-www-form-urlencoded"] {
            let answer = try await client.post(path, "{}", contentType: type)
            if answer.status != 415 || !answer.isProblem { failures.append("\(type ?? "no type"): \(answer.text)") }
        }
        let wrongMethod = try await client.get(path)
        if wrongMethod.status != 405 || wrongMethod.headers[.allow] != "POST" || !wrongMethod.isProblem {
            failures.append("GET: \(wrongMethod.text)")
        }
        return failures
    }
}
