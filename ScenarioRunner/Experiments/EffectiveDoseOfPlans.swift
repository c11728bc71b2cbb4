import Foundation

// The doses of what runs other experiments, and of what only clusters run.

extension ScheduleSpec {
    /// `at "*/3 * * * *" (UTC): drops 80 % of packets payment -> inventory`.
    var doseText: String { "at \"\(schedule)\" (UTC): \(bodySpec.doseText(kind: type))" }
}

extension WorkflowSpec {
    /// More of it would be no summary.
    private static let maximumTextLength = 400

    /// `drops 20 % of packets payment -> inventory (3m), then drops 50 % ... (3m)`.
    var doseText: String {
        let text = text(of: entry)
        guard text.count > Self.maximumTextLength else { return text }
        return text.prefix(Self.maximumTextLength) + " ..."
    }

    private func text(of name: String) -> String {
        guard let template = template(named: name) else { return "" }
        let limit = template.deadline.map { " (\(GoDuration.text($0)))" } ?? ""
        switch template.body {
        case .serial(let names): return names.map(text(of:)).joined(separator: ", then ")
        case .parallel(let names): return "[" + names.map(text(of:)).joined(separator: " | ") + "]"
        case .suspend: return "waits\(limit)"
        case .chaos(let chaos): return chaos.spec.doseText(kind: chaos.kind) + limit
        case .schedule(let schedule): return schedule.doseText + limit
        case .statusCheck(let check, let aborts):
            return check.doseText + limit + (aborts ? ", and ends the workflow if not" : "")
        case .task: return "runs a container\(limit)"
        }
    }

    var targetText: String {
        var targets: [String] = []
        for template in templates {
            let text: String
            switch template.body {
            case .chaos(let chaos): text = chaos.spec.targetText
            case .schedule(let schedule): text = schedule.bodySpec.targetText
            default: continue
            }
            if !text.isEmpty, !targets.contains(text) { targets.append(text) }
        }
        return targets.joined(separator: "; ")
    }
}

extension StatusCheckSpec {
    var doseText: String { "asks \(url) every \(intervalSeconds) s for \(statusCodeText)" }
}

extension FailureModesSpec {
    /// `0s: gateway-timeout 20% delay 3s before-charge; 2m: off; ends at 3m`.
    var doseText: String {
        let texts = steps.map { "\(GoDuration.text($0.offset)): \(FailureModesText.text($0.modes))" }
        return (texts + ["ends at \(GoDuration.text(duration))"]).joined(separator: "; ")
    }
}

extension HTTPChaosSpec {
    var doseText: String {
        var parts: [String] = []
        if abort { parts.append("aborts") }
        if let delay { parts.append("delays by \(GoDuration.text(delay))") }
        if replace != nil { parts.append("replaces parts of") }
        if patch != nil { parts.append("adds to") }
        let what = parts.isEmpty ? "does nothing to" : parts.joined(separator: ", ")
        return "\(what) HTTP \(target == .request ? "requests" : "answers") on port \(port) of \(source.text)"
    }
}

extension IOChaosSpec {
    var doseText: String {
        let what: String
        switch action {
        case .latency: what = "delays by \(GoDuration.text(delay ?? .zero))"
        case .fault: what = "fails with errno \(errno ?? 0)"
        case .attrOverride: what = "changes the attributes seen by"
        case .mistake: what = "falsifies the bytes of"
        }
        let operations = methods.isEmpty ? "file operations" : methods.joined(separator: ", ")
        return "\(what) \(percent) % of \(operations) on \(path ?? volumePath) in \(source.text)"
    }
}
