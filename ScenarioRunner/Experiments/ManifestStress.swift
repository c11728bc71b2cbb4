extension StressChaosSpec {
    /// The most that Chaos Mesh takes.
    private static let workers = 1...8192

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow([
            "containerNames", "duration", "mode", "remoteCluster", "selector", "stressngStressors", "stressors",
            "value",
        ])
        target = try ReplicaSelection(fields, namespace: namespace)
        let stressors = try fields.object("stressors")
        try stressors?.allow(["cpu", "memory"])
        cpu = try StressChaosSpec.cpu(stressors)
        memory = try StressChaosSpec.memory(stressors)
        let words = try fields.string("stressngStressors") ?? ""
        stressngStressors = words.isEmpty ? nil : words
        containerNames = try fields.strings("containerNames")
        remoteCluster = try fields.string("remoteCluster")
        duration = try fields.duration()
        guard cpu != nil || memory != nil || (stressngStressors != nil && stressors == nil) else {
            throw fields.refusal("stressors", "needs cpu, memory or both")
        }
    }

    private static func cpu(_ stressors: ManifestFields?) throws(Refusal) -> CPU? {
        guard let cpu = try stressors?.object("cpu") else { return nil }
        try cpu.allow(["workers", "load", "options"])
        return CPU(
            workers: try cpu.require("workers", cpu.integer("workers", in: workers)),
            load: try cpu.integer("load", in: 0...100) ?? 100, options: try cpu.strings("options"))
    }

    private static func memory(_ stressors: ManifestFields?) throws(Refusal) -> Memory? {
        guard let memory = try stressors?.object("memory") else { return nil }
        try memory.allow(["workers", "size", "options", "oomScoreAdj"])
        return Memory(
            workers: try memory.require("workers", memory.integer("workers", in: workers)),
            size: try memory.quantity("size", MemorySize.parse), options: try memory.strings("options"),
            oomScoreAdjustment: try memory.integer("oomScoreAdj", in: -1000...1000) ?? 0)
    }
}
