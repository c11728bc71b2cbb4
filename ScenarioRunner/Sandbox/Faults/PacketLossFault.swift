import Experiments

/// Drops a share of the packets on chosen paths through the router, each packet by its own throw of the dice.
///
/// ```
///   forward hook --> path rules --goto--> lossy: counter seen --> numgen random < N: counter dropped, drop
/// ```
///
/// * It hooks `forward`, never the sender's `output`: there the sending kernel sees the error and reacts at
///   once, which no network does. What the router itself sends is spared.
/// * The paths `goto` one chain and never come back, so that a packet that fits two paths is still counted
///   and judged once.
/// * Every fault has a table of its own, named after its run: it comes and goes in one transaction and can
///   be removed by name.
/// * A packet that comes out of a ``PathImpairmentFault`` has been here on its way in.
///
/// A packet is what the router sees: segmentation offload may hand it several segments of one write at once.
public struct PacketLossFault: LabFault {
    public typealias Direction = PacketPaths.Direction

    /// 10,000 basis points are every packet.
    public static let wholeBasisPoints = 10_000

    let table: String
    let packets: PacketPaths
    let lossBasisPoints: Int

    /// - Parameters:
    ///   - id: the run; names the table, with anything but letters, digits and underscores replaced.
    ///   - lossBasisPoints: 0 to 10,000, in hundredths of a percent.
    /// - Throws: ``InvalidFault`` for anything else.
    public init(id: String, paths: PacketPaths, lossBasisPoints: Int) throws {
        guard 0...Self.wholeBasisPoints ~= lossBasisPoints else {
            throw InvalidFault(detail: "a loss of \(lossBasisPoints) basis points is not within 0 to 10000")
        }
        guard !id.isEmpty else { throw InvalidFault(detail: "a fault needs the id of its run") }
        packets = paths
        table = PacketPaths.tableName("chaos_", id: id)
        self.lossBasisPoints = lossBasisPoints
    }

    /// The same between hosts; nil targets are anywhere.
    public init(id: String, sources: [String], targets: [String]?, direction: Direction, lossBasisPoints: Int) throws {
        try self.init(
            id: id, paths: PacketPaths(sources: sources, targets: targets, direction: direction),
            lossBasisPoints: lossBasisPoints)
    }

    public var summary: String { "drop \(percent) % of the packets \(packets.text)" }

    public var steps: [FaultPlan.Step] {
        [.init(location: "router, forward hook", action: summary, undo: "nft delete table ip \(table)")]
    }

    public func apply() async throws {
        try await CommandLineTool.run("nft", ["-f", "-"], input: script)
        await FaultHook.reached(.lossTableWritten)
    }

    public func verify() async throws {
        try check(await list("table"))
    }

    public func reading() async throws -> DoseReading {
        let counters = try await list("counters", "table").counters
        func packets(_ name: String) -> UInt64? { counters.first { $0.name == name }?.packets }
        guard let seen = packets("seen"), let dropped = packets("dropped") else {
            throw FaultVanished(fault: summary)
        }
        let asked = Double(lossBasisPoints) / Double(Self.wholeBasisPoints)
        return .packets(asked: asked, seen: seen, dropped: dropped)
    }

    public func undo() async throws {
        // Declaring it first makes the deletion of a table that is not there no error.
        try await CommandLineTool.run("nft", ["-f", "-"], input: "table ip \(table)\ndelete table ip \(table)\n")
        await FaultHook.reached(.lossTableDeleted)
        let left = try await CommandLineTool.run("nft", ["list", "tables", "ip"])
        guard !left.split(separator: "\n").contains("table ip \(table)") else {
            throw FaultMismatch(fault: summary, detail: "its table is still there after its removal")
        }
    }

    /// One transaction: all of it or, when the kernel refuses a line, nothing, and what was there stays.
    /// That is why the exit code of `nft` decides and a table of the same name is replaced, not added to.
    var script: String {
        let drop =
            switch lossBasisPoints {
            case 0: ""
            // `mod 10000 < 10000` would be refused.
            case Self.wholeBasisPoints: "    counter name dropped drop\n"
            default: "    numgen random mod \(Self.wholeBasisPoints) < \(lossBasisPoints) counter name dropped drop\n"
            }
        return """
            table ip \(table)
            delete table ip \(table)
            table ip \(table) {
              counter seen { }
              counter dropped { }
              chain lossy {
                counter name seen
            \(drop)  }
              chain paths {
                type filter hook forward priority 0; policy accept;
                iifname "\(PathDevices.outputs)" return
            \(packets.paths.map { "    \($0.text) goto lossy\n" }.joined())  }
            }

            """
    }

    /// `80`, `0.5`, `12.34`.
    private var percent: String {
        let (whole, hundredths) = lossBasisPoints.quotientAndRemainder(dividingBy: 100)
        guard hundredths != 0 else { return "\(whole)" }
        let fraction =
            hundredths % 10 == 0 ? "\(hundredths / 10)" : (hundredths < 10 ? "0\(hundredths)" : "\(hundredths)")
        return "\(whole).\(fraction)"
    }

    /// Reads the table, or a part of it. A table that is not there makes `nft` fail.
    private func list(_ what: String...) async throws -> NftAnswer {
        do {
            return try NftAnswer(json: await CommandLineTool.run("nft", ["-j", "list"] + what + ["ip", table]))
        } catch let error as ToolError where error.standardError.contains("No such file or directory") {
            throw FaultVanished(fault: summary)
        }
    }
}
