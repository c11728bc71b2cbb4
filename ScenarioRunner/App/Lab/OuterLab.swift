import ArgumentParser
import Foundation
import Sandbox
import Shared

/// The outer process of a lab: takes the folder, binds the front door, starts the lab inside fresh namespaces, forwards
/// signals, and outlives it. In plain mode it is the lab itself.
struct OuterLab: Sendable {
    let settings: LabSettings
    /// What this program is started again with, inside: it leads to ``runInside(_:)`` with these settings.
    var arguments: @Sendable (LabSettings) throws -> [String] = { ["lab-inside", "--settings", try $0.encoded()] }

    /// - Parameter onStart: is called when the lab is about to start, once nothing keeps it from that.
    /// - Throws: ``LabError``, or the exit code of what ran inside.
    func run(onStart: () -> Void = {}) async throws {
        var settings = settings
        let lock = try LabLock.take(in: settings.folder, preparing: true)
        defer { lock.release() }
        try await removeLeftovers()
        // Ports are left out: the lab's own are tried by being taken.
        settings.findings = await Doctor.examine(ports: [], databaseFolder: settings.folder.data.path)
        let ports = settings.ports
        let sockets: FrontDoorSockets
        do {
            sockets = try FrontDoorSockets.bind([
                ("payment", ports.payment), ("inventory", ports.inventory), ("notification", ports.notification),
                ("runner", ports.runner),
            ])
        } catch {
            throw LabError("\(error)")
        }
        defer { settings.folder.removeState() }
        onStart()
        if settings.plain {
            try await LabRuntime(settings: settings, listeners: sockets.listeners, stop: Latch()).run()
        } else {
            try await launch(settings, sockets)
        }
    }

    /// What a lab that was killed could leave: its control groups, and here the name of a disk worker's empty file.
    private func removeLeftovers() async throws {
        await ControlGroups.sweep()
        do {
            try DiskWork.removeLeftovers(in: settings.folder.data.path)
        } catch {
            throw LabError("cannot remove what an earlier lab left in \(settings.folder.data.path): \(error)")
        }
    }

    private func launch(_ settings: LabSettings, _ sockets: FrontDoorSockets) async throws {
        switch await NamespaceProbe.examine() {
        case .unavailable(let reason, let remedy):
            throw LabError(
                "this machine refuses namespaces (\(reason)); \(remedy); or run without network faults: --plain")
        case .available(let access):
            let launcher = NamespaceLauncher(access: access, arguments: try arguments(settings))
            let code = try await launcher.run(sockets: sockets)
            guard code == 0 else { throw ExitCode(code) }
        }
    }

    /// The inner process, from what it inherited to the end of the lab.
    ///
    /// - Throws: ``LabError`` when it was not started by ``run(onStart:)``.
    static func runInside(_ settings: @autoclosure () throws -> LabSettings) async throws {
        guard let inherited = try InheritedDescriptors.claim() else {
            throw LabError("lab-inside is started by scenario-runner lab, not by hand")
        }
        let stop = Latch()
        OuterWatch.start(descriptor: inherited.watch) { stop.open() }
        try await LabRuntime(settings: try settings(), listeners: inherited.listeners, stop: stop).run()
    }
}
