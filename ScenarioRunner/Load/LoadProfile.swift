import Experiments
import Foundation
import HTTPTypes
import Shared

/// What users do: a mix of requests, what right answers are, and what must hold. A YAML file, read strictly.
///
/// ```yaml
/// name: checkout
/// description: A shopper pays and looks
/// base_url: http://payment-service:5002     # optional; the lab's front door by default
/// requests:
///   - name: pay
///     weight: 3
///     method: POST
///     path: /payment/process
///     body: {amount: "19.99", currency: USD, product_id: "${choice:1,2,5}"}
///     headers: {Idempotency-Key: "${uuid}"}
///     expect: {status: [200, 402]}
///     remember: {payment_id: /payment_id}
///   - {name: status, weight: 1, method: GET, path: "/payment/status/${recall:payment_id}"}
/// thresholds: ["success >= 99%", "p99 <= 250ms"]
/// ```
public struct LoadProfile: Sendable, Equatable {
    /// A request whose path still has to be put behind a base URL.
    struct Request: Sendable, Equatable {
        let name: String
        let weight: Int
        let method: HTTPRequest.Method
        /// Instead of the profile's.
        let service: Service?
        let path: String
        let headers: [String: String]
        let body: String?
        let expectation: AnswerExpectation?
        let remembers: [String: JSONPointer]
    }

    /// Whom a request without a `base_url` goes to.
    public enum Service: String, Sendable, Equatable, CaseIterable {
        case payment, inventory, notification
    }

    /// Where the services of a lab, or of a cluster, answer; without a slash at the end.
    public struct Targets: Sendable, Equatable {
        public let payment: String
        public let inventory: String
        public let notification: String

        public init(payment: String, inventory: String, notification: String) {
            self.payment = payment
            self.inventory = inventory
            self.notification = notification
        }

        /// Everything to one address.
        public init(all url: String) { self.init(payment: url, inventory: url, notification: url) }

        func url(of service: Service) -> String {
            switch service {
            case .payment: payment
            case .inventory: inventory
            case .notification: notification
            }
        }
    }

    public let name: String
    public let description: String
    /// The file as the user named it.
    public let file: String
    /// Nil for the services of the lab.
    public let baseURL: String?
    public let thresholds: [Hypothesis]
    let requests: [Request]
    /// The file's content, for a process that is to read it as it was.
    public let text: String

    public var requestNames: [String] { requests.map(\.name) }

    /// The requests as the generator takes them.
    ///
    /// - Parameter baseURL: instead of the profile's own.
    public func templates(targets: Targets, baseURL: String? = nil) throws(LoadPlanError) -> [RequestTemplate] {
        var templates: [RequestTemplate] = []
        let base = (baseURL ?? self.baseURL).map(Self.withoutSlash)
        for request in requests {
            let target = base ?? Self.withoutSlash(targets.url(of: request.service ?? .payment))
            templates.append(try request.template(baseURL: target))
        }
        return templates
    }

    private static func withoutSlash(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    /// Which thresholds of the profile a load has kept.
    public func findings(_ summary: LoadSummary) -> [LoadSummary.Finding] {
        var evidence = Hypothesis.Evidence()
        evidence.during = summary.part
        return thresholds.flatMap { threshold in
            threshold.evaluate(evidence).map {
                LoadSummary.Finding(
                    threshold: $0.clause.description, held: $0.outcome == .held, measured: $0.measured)
            }
        }
    }
}

extension LoadProfile.Request {
    func template(baseURL: String) throws(LoadPlanError) -> RequestTemplate {
        try RequestTemplate(
            name: name, method: method, url: baseURL + path, weight: weight,
            headers: headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, body: body,
            expectation: expectation, remembers: remembers)
    }
}

/// All profiles of a folder, read anew each time, and what is wrong with the files that do not load.
public struct LoadProfileCatalogue: Sendable, Equatable {
    /// In the order of their names' files; no two have one name.
    public let profiles: [LoadProfile]
    public let problems: [Refusal]

    /// Reads every YAML file of `folder`. Never fails: what cannot be read is one of the ``problems``.
    public static func load(folder: String) -> LoadProfileCatalogue {
        var profiles: [LoadProfile] = []
        var problems: [Refusal] = []
        do throws(Refusal) {
            let (paths, problem) = try Catalogue.files(in: folder)
            for path in paths {
                do throws(Refusal) {
                    let profile = try LoadProfile.load(file: path)
                    if let first = profiles.first(where: { $0.name == profile.name }) {
                        throw Refusal(
                            file: path, line: 1, field: "name",
                            reason: "'\(profile.name)' is already the name of \(first.file): rename one")
                    }
                    profiles.append(profile)
                } catch { problems.append(error) }
            }
            if let problem { problems.append(problem) }
        } catch { problems.append(error) }
        return LoadProfileCatalogue(profiles: profiles, problems: problems)
    }

    public func profile(named name: String) -> LoadProfile? { profiles.first { $0.name == name } }
}

extension LoadProfile {
    /// What runs use when nobody chooses: chains and payments, one to one, wherever the folder of profiles is.
    public static let usual: LoadProfile = {
        let text = """
            name: chain
            requests:
              - name: chain
                method: POST
                path: /payment/chain
                body: {product_id: "${choice:1,2,3,4,5}"}
              - name: process
                method: POST
                path: /payment/process
                headers: {Idempotency-Key: "${uuid}"}
                body: {amount: "19.99", currency: USD, product_id: "${choice:1,2,3,4,5}"}
            """
        guard let profile = try? load(text, file: "the usual load") else {
            preconditionFailure("the usual load is no profile")
        }
        return profile
    }()
}
