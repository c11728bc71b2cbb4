import Experiments
import Foundation
import Hummingbird
import Shared

/// Reads the parameters of a query and collects what is wrong with them, as ``FieldReader`` does for bodies.
struct QueryReader {
    private let request: Request
    private var errors: [FieldError] = []

    init(_ request: Request) { self.request = request }

    mutating func reject(_ name: String, _ message: String) { errors.append(FieldError(field: name, message: message)) }

    func text(_ name: String, default fallback: String) -> String { request.queryParameter(name) ?? fallback }

    /// A boolean in any of the spellings that scripts use: true, 1, yes, on and their opposites, in any case.
    mutating func requiredBool(_ name: String) -> Bool {
        switch request.queryParameter(name)?.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        case nil: reject(name, "is required")
        default: reject(name, "must be true or false")
        }
        return false
    }

    /// A decimal number within a range. `Double` also reads `nan`, `inf` and hexadecimal, which nobody means here.
    mutating func number(_ name: String, in range: ClosedRange<Double>, default fallback: Double) -> Double {
        guard let text = request.queryParameter(name) else { return fallback }
        let isDecimal = text.utf8.allSatisfy { "0123456789.+-eE".utf8.contains($0) }
        guard isDecimal, let value = Double(text), range.contains(value) else {
            reject(name, "must be a number from \(range.lowerBound.plain) to \(range.upperBound.plain)")
            return fallback
        }
        return value
    }

    mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = request.queryParameter(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            reject(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A duration such as `90s` or `1m30s`, within a range.
    mutating func duration(_ name: String, in range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
        guard let text = request.queryParameter(name) else { return fallback }
        guard let value = try? GoDuration.parse(text), range.contains(value) else {
            let ends = "from \(GoDuration.text(range.lowerBound)) to \(GoDuration.text(range.upperBound))"
            reject(name, "must be a duration \(ends), such as 60s or 1m30s")
            return fallback
        }
        return value
    }

    /// - Throws: ``Problem`` 422 naming every wrong parameter.
    func finish() throws {
        guard errors.isEmpty else { throw Problem.invalid(errors) }
    }
}

extension Route {
    /// The route with errors as the clients of the old system read them: `status` is `"error"` and `message` says why.
    /// RFC 9457 (section 3.1) has clients ignore a member of another type than the standard's, so both kinds are served.
    var withScenarioErrors: Route {
        Route(method, path) { request, context in
            do {
                return try await handler(request, context)
            } catch var problem as Problem {
                problem.members["status"] = .string("error")
                problem.members["message"] = .string(problem.detail)
                throw problem
            }
        }
    }
}

extension Double {
    fileprivate var plain: String { formatted(.number.grouping(.never).locale(Locale(identifier: "en_US_POSIX"))) }
}
