import Experiments
import Foundation

/// The numbers of a dose with their units, for people.
struct DoseText: Sendable {
    let asked: String
    let delivered: String
    /// The ends of the 95 % interval; nil where nothing is drawn.
    let interval: String?

    init(_ dose: Dose) {
        asked = Self.text(dose.asked, dose.unit)
        delivered = Self.text(dose.delivered, dose.unit)
        let (low, high) = (Self.text(dose.low, dose.unit), Self.text(dose.high, dose.unit))
        interval = dose.low == dose.high ? nil : "\(low) to \(high)"
    }

    private static func text(_ value: Double, _ unit: String) -> String {
        switch unit {
        case "percent": String(format: value == value.rounded() ? "%.0f %%" : "%.1f %%", value)
        case "ms": NumberText.latency(value)
        case "bytes": value >= 1e6 ? String(format: "%.4g MB", value / 1e6) : String(format: "%.4g kB", value / 1e3)
        case "bit/s":
            value >= 1e6 ? String(format: "%.4g Mbit/s", value / 1e6) : String(format: "%.4g kbit/s", value / 1e3)
        default: String(format: value == value.rounded() ? "%.0f" : "%.2f", value) + " \(unit)"
        }
    }
}
