/// What the kernel must hold for a ``PacketLossFault``, in the words in which `nft -j` tells it.
extension PacketLossFault {
    /// Compares the table read back with what was asked.
    ///
    /// - Throws: ``FaultMismatch`` naming the first difference.
    func check(_ answer: NftAnswer) throws {
        guard answer.chains.contains(where: { $0.name == "paths" && $0.hook == "forward" }) else {
            throw FaultMismatch(fault: summary, detail: "no chain is hooked to forward")
        }
        guard answer.rules(in: "paths") == pathRules else {
            throw FaultMismatch(fault: summary, detail: "the paths are others")
        }
        guard answer.rules(in: "lossy") == lossyRules else {
            throw FaultMismatch(fault: summary, detail: "the share of packets dropped is another")
        }
    }

    private var pathRules: [[NftExpression]] {
        [[PathDevices.comesFromOutput, ["return": .null]]]
            + packets.paths.map { $0.matches + [["goto": ["target": "lossy"]]] }
    }

    private var lossyRules: [[NftExpression]] {
        let count: [NftExpression] = [["counter": "seen"]]
        let drop: [NftExpression] = [["counter": "dropped"], ["drop": .null]]
        let dice: NftExpression = [
            "match": [
                "op": "<",
                "left": ["numgen": ["mode": "random", "mod": .number(Self.wholeBasisPoints), "offset": 0]],
                "right": .number(lossBasisPoints),
            ]
        ]
        return switch lossBasisPoints {
        case 0: [count]
        case Self.wholeBasisPoints: [count, drop]
        default: [count, [dice] + drop]
        }
    }
}
