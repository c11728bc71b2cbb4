import Foundation
import Sandbox

/// Where a Locust might be, and which is taken.
struct LocustInstallation: Sendable {
    /// What to do where there is none.
    static let remedy =
        "'make locust-venv' installs it where Python 3 with venv is there; or install it with pip and name it in LOCUST_BIN"

    /// `LOCUST_BIN`. It alone counts when it is there.
    let chosen: String?
    /// Looked at in this order, then the PATH.
    let usual: [String]

    init(_ settings: LocustSettings, folder: LabFolder) {
        chosen = settings.program
        let here = FileManager.default.currentDirectoryPath
        usual = ["\(here)/.lab/venv/bin/locust", folder.root.appendingPathComponent("venv/bin/locust").path]
    }

    /// The program's path, or nil.
    var program: String? {
        if let chosen { return CommandLineTool.path(of: chosen).map(Self.absolute) }
        return usual.first { FileManager.default.isExecutableFile(atPath: $0) } ?? CommandLineTool.path(of: "locust")
    }

    /// Why there is none, with the remedy; nil when there is one.
    var obstacle: String? {
        guard program == nil else { return nil }
        if let chosen { return "LOCUST_BIN is \(chosen), which is no program: correct it, or unset it." }
        return "Locust is not installed: \(Self.remedy)."
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }
}
