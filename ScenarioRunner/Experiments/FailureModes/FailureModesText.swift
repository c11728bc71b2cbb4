import Shared

/// The words of a step: `1m gateway-timeout 60% delay 10s after-charge, card-decline 20%`.
enum FailureModesText {
    private static let modeNames = ["gateway-timeout", "card-decline", "stolen-card", "off"]
    private static let delays: ClosedRange<Duration> = .seconds(1)...(.seconds(60))

    static func step(_ line: Substring) throws(QuantityError) -> FailureModesSpec.Step {
        let words = line.split { $0 == " " || $0 == "\t" }
        guard let first = words.first, words.count > 1 else {
            throw QuantityError("is no step: write an offset and the modes, such as: 30s gateway-timeout 20%")
        }
        let offset: Duration
        do {
            offset = try GoDuration.parse(String(first))
        } catch {
            throw QuantityError("does not begin with an offset such as 0s or 1m30s")
        }
        var modes = FailureModes.off
        var seen: Set<String> = []
        let parts = words.dropFirst().joined(separator: " ").split(separator: ",", omittingEmptySubsequences: false)
        for part in parts {
            let name = try apply(part.split(separator: " "), to: &modes)
            guard seen.insert(name).inserted else { throw QuantityError("names \(name) twice") }
        }
        guard seen.count == 1 || !seen.contains("off") else { throw QuantityError("says off and something else") }
        return .init(offset: offset, modes: modes)
    }

    /// - Returns: the mode's name.
    private static func apply(_ words: [Substring], to modes: inout FailureModes) throws(QuantityError) -> String {
        guard let name = words.first.map(String.init), modeNames.contains(name) else {
            throw QuantityError("names no mode: use \(modeNames.joined(separator: ", "))")
        }
        if name == "off" {
            guard words.count == 1 else { throw QuantityError("has words after off") }
            return name
        }
        guard words.count > 1, words[1].hasSuffix("%") else {
            throw QuantityError("needs a share of the payments after \(name), such as 20%")
        }
        let percent: Percentage
        do {
            percent = try Percentage.parse(String(words[1].dropLast()))
        } catch {
            throw QuantityError("has a share of '\(words[1])', which \(error.description)")
        }
        let probability = Double(percent.basisPoints) / 100
        if name == "gateway-timeout" {
            modes.gatewayTimeoutEnabled = true
            modes.gatewayTimeoutProbability = probability
            try timeoutDetails(words.dropFirst(2), &modes)
            return name
        }
        guard words.count == 2 else { throw QuantityError("has words after the share of \(name)") }
        if name == "card-decline" {
            modes.cardDeclineEnabled = true
            modes.cardDeclineProbability = probability
        } else {
            modes.stolenCardEnabled = true
            modes.stolenCardProbability = probability
        }
        return name
    }

    private static func timeoutDetails(
        _ words: ArraySlice<Substring>, _ modes: inout FailureModes
    ) throws(QuantityError) {
        var rest = words
        if rest.first == "delay" {
            guard let text = rest.dropFirst().first, let delay = try? GoDuration.parse(String(text)),
                delays.contains(delay)
            else { throw QuantityError("needs 1s to 60s after delay") }
            modes.gatewayTimeoutDelay = delay.seconds
            rest = rest.dropFirst(2)
        }
        if let text = rest.first {
            guard let phase = GatewayTimeoutPhase(rawValue: String(text)), rest.count == 1 else {
                let phases = GatewayTimeoutPhase.allCases.map(\.rawValue).joined(separator: ", ")
                throw QuantityError("has '\(rest.joined(separator: " "))' where only one of \(phases) can stand")
            }
            modes.gatewayTimeoutPhase = phase
        }
    }

    /// The words that ``step(_:)`` reads back.
    static func text(_ modes: FailureModes) -> String {
        var parts: [String] = []
        if modes.gatewayTimeoutEnabled {
            let delay = GoDuration.text(.seconds(modes.gatewayTimeoutDelay))
            parts.append(
                "gateway-timeout \(share(modes.gatewayTimeoutProbability)) delay \(delay) "
                    + modes.gatewayTimeoutPhase.rawValue)
        }
        if modes.cardDeclineEnabled { parts.append("card-decline \(share(modes.cardDeclineProbability))") }
        if modes.stolenCardEnabled { parts.append("stolen-card \(share(modes.stolenCardProbability))") }
        return parts.isEmpty ? "off" : parts.joined(separator: ", ")
    }

    private static func share(_ probability: Double) -> String {
        "\(Percentage(basisPoints: Int((probability * 100).rounded())))%"
    }
}

extension Substring {
    /// Without blanks at either end.
    var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
