import Shared

/// Payment failures that come and go over time: a gateway that browns out and recovers.
///
/// It is a ConfigMap with a label, so that `kubectl apply` takes it among the manifests of Chaos Mesh; whoever runs it
/// switches the modes that are in force at each time.
///
/// ```yaml
/// apiVersion: v1
/// kind: ConfigMap
/// metadata: {name: gateway-brown-out, labels: {payment-chaos.io/kind: failure-modes}}
/// data:
///   duration: 3m
///   steps: |
///     0s   gateway-timeout 20% delay 3s before-charge
///     1m   gateway-timeout 60% delay 10s, card-decline 20%
///     2m   off
/// ```
public struct FailureModesSpec: Sendable, Equatable {
    /// What experiments of this kind are called.
    public static let kind = "FailureModes"
    static let manifestKind = "ConfigMap"
    static let manifestVersion = "v1"
    static let kindLabel = "payment-chaos.io/kind"
    static let kindValue = "failure-modes"

    public struct Step: Sendable, Equatable {
        /// Since the experiment's beginning.
        public let offset: Duration
        /// In force from then on until the next step.
        public let modes: FailureModes
    }

    /// After it all modes are off again.
    public let duration: Duration
    /// By ascending offset; at least one, all within the duration.
    public let steps: [Step]

    /// The modes that are in force so long after the beginning.
    public func modes(at elapsed: Duration) -> FailureModes {
        guard elapsed < duration else { return .off }
        return steps.last { $0.offset <= elapsed }?.modes ?? .off
    }
}

extension FailureModes {
    /// As a step says it: `gateway-timeout 20% delay 3s before-charge`, `off`.
    public var text: String { FailureModesText.text(self) }
}

extension FailureModesSpec {
    /// More steps than a person writes are refused.
    static let maximumSteps = 100

    init(_ data: ManifestFields) throws(Refusal) {
        try data.allow(["duration", "steps"])
        duration = try data.require("duration", data.duration())
        var steps: [Step] = []
        for (line, text) in try data.require("steps", data.textLines("steps")) {
            let content = text.prefix { $0 != "#" }
            guard content.contains(where: { $0 != " " && $0 != "\t" }) else { continue }
            do throws(QuantityError) {
                let step = try FailureModesText.step(content)
                guard step.offset > steps.last?.offset ?? .nanoseconds(-1) else {
                    throw QuantityError("does not come after the step before it")
                }
                guard step.offset < duration else { throw QuantityError("comes when the duration is over") }
                steps.append(step)
            } catch {
                throw data.refusal("steps", "'\(content.trimmed)' \(error.description)", line: line)
            }
        }
        guard (1...Self.maximumSteps).contains(steps.count) else {
            throw data.refusal("steps", "needs 1 to \(Self.maximumSteps) lines such as: 30s gateway-timeout 20%")
        }
        self.steps = steps
    }
}
