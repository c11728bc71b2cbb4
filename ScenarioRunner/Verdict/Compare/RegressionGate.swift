import Experiments
import Foundation

/// What a change must not do, from run A to run B: `p99:+20%`, `success:-1%`, `baseline.p95:+50ms`, `recovery:+5s`, `any`.
///
/// ```
///   gate   = "any" | [phase "."] metric ":" sign value
///   phase  = baseline | fault | recovery                         fault when it is left away
///   metric = success | throughput | p50 | p95 | p99 | recovery
///   value  = 20% (of A's value; points for success) | 50ms, 2s (latencies, recovery) | 3/s (throughput)
/// ```
///
/// A gate trips when B is beyond the limit **and** the difference is beyond the noise: its chance, held against 5 % over
/// all gates that are asked (Holm). `any` trips when ``RunComparison/differs``.
public struct RegressionGate: Sendable, Equatable, CustomStringConvertible {
    public enum Subject: Sendable, Equatable {
        case any
        case metric(CompareMetric, PhaseName)
        case recovery
    }

    enum Limit: Sendable, Equatable {
        /// Of A's value, 0.2 for 20 %.
        case relative(Double)
        /// In the metric's own unit.
        case absolute(Double)
    }

    public let subject: Subject
    let limit: Limit
    /// Whether more is worse; else less is.
    let isUpwards: Bool
    /// As it was written.
    public let description: String

    /// One whose recovery takes so much longer may only have been measured a second later.
    static let recoveryGrainMs = 1000.0

    /// Why a text is no gate, with what to write.
    public struct Malformed: Error, CustomStringConvertible {
        public let description: String
    }

    /// - Throws: ``Malformed``.
    public init(_ text: String) throws(Malformed) {
        description = text
        if text == "any" {
            (subject, limit, isUpwards) = (.any, .absolute(0), true)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sign = parts[1].first, sign == "+" || sign == "-" else {
            throw Self.malformed(text, "write a metric, a sign and a limit, such as p99:+20%")
        }
        subject = try Self.subject(parts[0], of: text)
        isUpwards = sign == "+"
        limit = try Self.limit(parts[1].dropFirst(), subject, of: text)
    }

    private static func malformed(_ text: String, _ remedy: String) -> Malformed {
        Malformed(description: "'\(text)' is no gate: \(remedy)")
    }

    private static func subject(_ name: Substring, of text: String) throws(Malformed) -> Subject {
        if name == "recovery" { return .recovery }
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count <= 2, let metric = words.last.flatMap({ CompareMetric(rawValue: String($0)) }) else {
            let known = CompareMetric.allCases.map(\.rawValue).joined(separator: ", ")
            throw malformed(text, "its metric is one of \(known), recovery")
        }
        guard words.count == 2 else { return .metric(metric, .fault) }
        guard let phase = PhaseName(rawValue: String(words[0])), RunComparison.phases.contains(phase) else {
            throw malformed(text, "its phase is one of baseline, fault, recovery")
        }
        return .metric(metric, phase)
    }

    private static func limit(_ value: Substring, _ subject: Subject, of text: String) throws(Malformed) -> Limit {
        func number(_ digits: Substring) -> Double? {
            guard !digits.isEmpty, digits.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }) else { return nil }
            return Double(digits)
        }
        if value.hasSuffix("%"), let percent = number(value.dropLast()) {
            return subject.isSuccess ? .absolute(percent / 100) : .relative(percent / 100)
        }
        switch subject {
        case .metric(.throughput, _):
            if value.hasSuffix("/s"), let rate = number(value.dropLast(2)) { return .absolute(rate) }
            throw malformed(text, "throughput takes 5% or 3/s")
        case .metric(.success, _): throw malformed(text, "success takes points, such as -1%")
        default:
            if let duration = try? GoDuration.parse(String(value)) { return .absolute(duration.gateMilliseconds) }
            throw malformed(text, "its limit is a share or a time, such as 20%, 50ms or 2s")
        }
    }
}

extension RegressionGate.Subject {
    fileprivate var isSuccess: Bool { if case .metric(.success, _) = self { true } else { false } }
}

extension Duration {
    fileprivate var gateMilliseconds: Double {
        Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
    }
}

extension RegressionGate {
    /// What became of a gate.
    public struct Finding: Codable, Sendable, Equatable {
        public let gate: String
        public let isTripped: Bool
        /// In a sentence.
        public let text: String

        enum CodingKeys: String, CodingKey {
            case gate, text
            case isTripped = "tripped"
        }
    }

    /// One finding for each gate, in their order.
    public static func judge(_ gates: [RegressionGate], _ comparison: RunComparison) -> [Finding] {
        let chances = RunComparison.holm(
            gates.map { gate in
                guard case .metric(let metric, let phase) = gate.subject else { return 1 }
                return comparison.line(metric, phase)?.chance ?? 1
            })
        return zip(gates, chances).map { $0.judge(comparison, chance: $1) }
    }

    private func judge(_ comparison: RunComparison, chance: Double) -> Finding {
        switch subject {
        case .any:
            let names = comparison.lines.filter(\.differs).map { "\($0.metric.rawValue) \(RunTimeline.name($0.phase))" }
            return finding(
                !names.isEmpty, names.isEmpty ? "nothing differs" : "differs: \(names.joined(separator: ", "))")
        case .recovery: return judgeRecovery(comparison)
        case .metric(let metric, let phase):
            // What cannot be compared must not pass for what is well.
            guard let line = comparison.line(metric, phase) else {
                return finding(true, "was not measured in both runs")
            }
            let text =
                "\(metric.differenceText(line.difference)), from \(metric.text(line.a)) to \(metric.text(line.b))"
            guard isBeyond(line.a, line.b) else { return finding(false, "\(text): within the limit") }
            guard chance <= RunComparison.familyWiseError else {
                return finding(false, "\(text): beyond the limit, but that can be chance")
            }
            return finding(true, "\(text): beyond the limit, and no chance")
        }
    }

    private func judgeRecovery(_ comparison: RunComparison) -> Finding {
        func text(_ ms: Int?) -> String { ms.map { NumberText.span(Double($0) / 1000) } ?? "none" }
        let change = "from \(text(comparison.a.timeToRecoverMs)) to \(text(comparison.b.timeToRecoverMs))"
        guard let b = comparison.b.timeToRecoverMs else { return finding(isUpwards, "\(change): B did not recover") }
        guard let a = comparison.a.timeToRecoverMs else { return finding(false, change) }
        let isTripped = isBeyond(Double(a), Double(b)) && abs(Double(b - a)) > Self.recoveryGrainMs
        return finding(isTripped, isTripped ? "\(change): beyond the limit" : "\(change): within the limit")
    }

    private func isBeyond(_ a: Double, _ b: Double) -> Bool {
        let room =
            switch limit {
            case .relative(let share): abs(a) * share
            case .absolute(let value): value
            }
        return isUpwards ? b > a + room : b < a - room
    }

    private func finding(_ isTripped: Bool, _ text: String) -> Finding {
        Finding(gate: description, isTripped: isTripped, text: text)
    }
}
