/// What a ``PathImpairmentFault`` puts into the kernel, and what must be found there, in the tools' own words.
extension PathImpairmentFault {
    /// Devices up, a table with one route for each lane, and the rule that leads to it.
    nonisolated var routing: String {
        let output = "link set dev \(PathDevices.output(number)) addrgenmode none up\n"
        return output
            + lanes.indices.map { lane in
                let device = PathDevices.input(number, lane: lane)
                return """
                    link set dev \(device) addrgenmode none txqueuelen \(Self.deviceQueue) up
                    route add default dev \(device) table \(PathDevices.table(number, lane: lane))
                    rule add \(rule(lane))

                    """
            }.joined()
    }

    /// One transaction; see ``PacketLossFault/script``.
    nonisolated var script: String {
        let marks = markedPaths.map { path, mark in "    \(path.text) meta mark set \(mark) return\n" }
        return """
            table ip \(table)
            delete table ip \(table)
            table ip \(table) {
              chain untracked {
                type filter hook prerouting priority raw; policy accept;
                iifname "\(PathDevices.output(number))" notrack
              }
              chain paths {
                type filter hook prerouting priority dstnat + 10; policy accept;
                iifname "\(PathDevices.outputs)" return
                meta mark != 0 return
            \(marks.joined())  }
            }

            """
    }

    private nonisolated var markedPaths: [(path: PacketPath, mark: Int)] {
        lanes.enumerated().flatMap { lane, paths in
            paths.map { (path: $0, mark: PathDevices.mark(number, lane: lane)) }
        }
    }

    private nonisolated func rule(_ lane: Int) -> String {
        "priority \(PathDevices.rulePriority) fwmark \(PathDevices.mark(number, lane: lane)) "
            + "lookup \(PathDevices.table(number, lane: lane))"
    }

    nonisolated func removal(of lanes: [Int]) -> String {
        lanes.map { "rule del \(rule($0))\n" }.joined()
    }

    /// The lanes whose rules are there; one twice if its rule is.
    func ownRules() async throws -> [Int] {
        Self.lanes(ofRules: try await CommandLineTool.run("ip", ["rule", "show"]), number: number)
    }

    /// Lines such as `1000:	from all fwmark 0x50430020 lookup 100032`.
    static func lanes(ofRules text: String, number: Int) -> [Int] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0.isWhitespace }
            guard let place = words.firstIndex(of: "fwmark"), words.count > place + 3, words[place + 2] == "lookup",
                words[place + 1].hasPrefix("0x"), let mark = Int(words[place + 1].dropFirst(2), radix: 16)
            else { return nil }
            let lane = mark - PathDevices.mark(number, lane: 0)
            guard 0..<PathDevices.maximumLanes ~= lane else { return nil }
            return words[place + 3] == "\(PathDevices.table(number, lane: lane))" ? lane : nil
        }
    }

    /// - Throws: ``FaultVanished`` or ``FaultMismatch`` when packets are not led to the worker, or not as asked.
    func checkRules() async throws {
        let answer: NftAnswer
        do {
            answer = try NftAnswer(json: await CommandLineTool.run("nft", ["-j", "list", "table", "ip", table]))
        } catch let error as ToolError where error.standardError.contains("No such file or directory") {
            throw FaultVanished(fault: summary)
        }
        guard answer.chains.filter({ $0.hook == "prerouting" }).map(\.name).sorted() == ["paths", "untracked"],
            answer.rules(in: "untracked") == [untracked], answer.rules(in: "paths") == pathRules
        else { throw FaultMismatch(fault: summary, detail: "its nft rules are others") }

        let kernel = try await CommandLineTool.run("ip", ["-batch", "-"], input: "rule show\nroute show table all\n")
        guard Self.lanes(ofRules: kernel, number: number).sorted() == Array(lanes.indices) else {
            throw FaultVanished(fault: summary, cause: "the routing rules to its worker were removed by someone else")
        }
        for lane in lanes.indices {
            let table = PathDevices.table(number, lane: lane)
            let route = "default dev \(PathDevices.input(number, lane: lane)) table \(table) "
            guard kernel.contains(route) else {
                throw FaultVanished(fault: summary, cause: "the route to its worker was removed by someone else")
            }
        }
    }

    private nonisolated var untracked: [NftExpression] {
        let device: NftExpression = .text(PathDevices.output(number))
        return [
            ["match": ["op": "==", "left": ["meta": ["key": "iifname"]], "right": device]], ["notrack": .null],
        ]
    }

    private nonisolated var pathRules: [[NftExpression]] {
        let mark: NftExpression = ["meta": ["key": "mark"]]
        let marked: NftExpression = ["match": ["op": "!=", "left": mark, "right": 0]]
        let paths = markedPaths.map { path, value in
            path.matches + [["mangle": ["key": mark, "value": .number(value)]], ["return": .null]]
        }
        return [[PathDevices.comesFromOutput, ["return": .null]], [marked, ["return": .null]]] + paths
    }

    /// - Throws: ``FaultMismatch`` when anything of it is still there.
    func checkAbsence() async throws {
        async let tablesThere = CommandLineTool.run("nft", ["list", "tables", "ip"])
        async let kernelThere = CommandLineTool.run("ip", ["-batch", "-"], input: "rule show\nlink show\n")
        let (tables, kernel) = try await (tablesThere, kernelThere)
        let devices = [PathDevices.output(number)] + lanes.indices.map { PathDevices.input(number, lane: $0) }
        let isGone =
            !tables.split(separator: "\n").contains("table ip \(table)")
            && Self.lanes(ofRules: kernel, number: number).isEmpty
            && !devices.contains { kernel.contains(" \($0): ") }
        guard isGone else {
            throw FaultMismatch(fault: summary, detail: "a part of it is still there after its removal")
        }
    }
}

extension PathDevices {
    /// ``numbers`` in turn.
    static func number(_ turn: Int) -> Int { numbers.lowerBound + turn % numbers.count }

    /// Packets that the kernel dropped because the worker did not read fast enough.
    static func droppedBeforeWorker(_ number: Int, table: String? = SystemFile.text("/proc/net/dev")) -> UInt64 {
        // name: bytes packets errs drop fifo frame compressed multicast | bytes packets errs drop ...
        (table ?? "").split(separator: "\n").reduce(0) { sum, line in
            let fields = line.split { $0.isWhitespace || $0 == ":" }
            guard fields.count > 12, fields[0].hasPrefix("\(prefix)in-\(number).") else { return sum }
            return sum + (UInt64(fields[12]) ?? 0)
        }
    }
}
