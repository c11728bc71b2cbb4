extension NetworkChaosSpec {
    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow([
            "action", "bandwidth", "corrupt", "delay", "device", "direction", "duplicate", "duration",
            "externalTargets", "loss", "mode", "rate", "remoteCluster", "selector", "target", "targetDevice", "value",
        ])
        action = try fields.require("action", fields.choice("action", of: Action.self))
        direction = try fields.choice("direction", of: Direction.self) ?? .to
        source = try ReplicaSelection(fields, namespace: namespace)
        target = try NetworkChaosSpec.target(fields, namespace: namespace)
        loss = try NetworkChaosSpec.loss(fields)
        delay = try NetworkChaosSpec.delay(fields)
        duplicate = try NetworkChaosSpec.share(fields, "duplicate")
        corrupt = try NetworkChaosSpec.share(fields, "corrupt")
        rate = try NetworkChaosSpec.rate(fields)
        bandwidth = try NetworkChaosSpec.bandwidth(fields)
        device = try fields.string("device")
        targetDevice = try fields.string("targetDevice")
        externalTargets = try fields.quantities("externalTargets", ExternalTarget.parse)
        remoteCluster = try fields.string("remoteCluster")
        duration = try fields.duration()
        try checkAction(fields)
        try checkDirection(fields)
    }

    /// Each action needs the field of its name; netem needs at least one.
    private func checkAction(_ fields: ManifestFields) throws(Refusal) {
        switch action {
        case .partition:
            return
        case .netem:
            guard ["delay", "loss", "duplicate", "corrupt", "rate"].contains(where: fields.has) else {
                throw fields.refusal("action", "netem needs at least one of delay, loss, duplicate, corrupt, rate")
            }
        case .delay, .loss, .duplicate, .corrupt, .bandwidth:
            guard fields.has(action.rawValue) else {
                throw fields.refusal(action.rawValue, "is required with action \(action.rawValue)")
            }
        }
    }

    /// Packets `from` somewhere are shaped where they start, so they need a target, and one inside the cluster. A
    /// partition drops them where they arrive, and has no such rule.
    private func checkDirection(_ fields: ManifestFields) throws(Refusal) {
        guard direction != .to, action != .partition else { return }
        guard target != nil else { throw fields.refusal("direction", "'\(direction.rawValue)' needs a target") }
        guard externalTargets.isEmpty else {
            throw fields.refusal("externalTargets", "only works with direction to, except for partition")
        }
    }

    private static func target(_ fields: ManifestFields, namespace: String) throws(Refusal) -> ReplicaSelection? {
        guard let target = try fields.object("target") else { return nil }
        try target.allow(["mode", "selector", "value"])
        return try ReplicaSelection(target, namespace: namespace)
    }

    private static func loss(_ fields: ManifestFields) throws(Refusal) -> Loss? {
        guard let loss = try fields.object("loss") else { return nil }
        try loss.allow(["loss", "correlation"])
        return Loss(loss: try loss.require("loss", loss.percentage("loss")), correlation: try loss.correlation())
    }

    private static func delay(_ fields: ManifestFields) throws(Refusal) -> Delay? {
        guard let delay = try fields.object("delay") else { return nil }
        try delay.allow(["latency", "jitter", "correlation", "reorder"])
        return Delay(
            latency: try delay.require("latency", delay.quantity("latency", GoDuration.parseOneUnit)),
            jitter: try delay.quantity("jitter", GoDuration.parseOneUnit) ?? .zero,
            correlation: try delay.correlation(), reorder: try reorder(delay))
    }

    private static func reorder(_ fields: ManifestFields) throws(Refusal) -> Reorder? {
        guard let reorder = try fields.object("reorder") else { return nil }
        try reorder.allow(["reorder", "correlation", "gap"])
        return Reorder(
            reorder: try reorder.require("reorder", reorder.percentage("reorder")),
            correlation: try reorder.correlation(),
            gap: try reorder.require("gap", reorder.integer("gap", in: 0...Int(Int32.max))))
    }

    private static func share(_ fields: ManifestFields, _ name: String) throws(Refusal) -> Share? {
        guard let share = try fields.object(name) else { return nil }
        try share.allow([name, "correlation"])
        return Share(share: try share.require(name, share.percentage(name)), correlation: try share.correlation())
    }

    private static func rate(_ fields: ManifestFields) throws(Refusal) -> DataRate? {
        guard let rate = try fields.object("rate") else { return nil }
        try rate.allow(["rate"])
        return try rate.require("rate", rate.quantity("rate", DataRate.parse))
    }

    private static func bandwidth(_ fields: ManifestFields) throws(Refusal) -> Bandwidth? {
        guard let bandwidth = try fields.object("bandwidth") else { return nil }
        try bandwidth.allow(["rate", "limit", "buffer", "peakrate", "minburst"])
        let positive = 1...Int(Int32.max)
        return Bandwidth(
            rate: try bandwidth.require("rate", bandwidth.quantity("rate", DataRate.parse)),
            limit: try bandwidth.require("limit", bandwidth.integer("limit", in: positive)),
            buffer: try bandwidth.require("buffer", bandwidth.integer("buffer", in: positive)),
            peakrate: try bandwidth.integer("peakrate", in: 0...Int.max),
            minburst: try bandwidth.integer("minburst", in: 0...Int(Int32.max)))
    }
}

extension ManifestFields {
    /// A duration that is more than nothing.
    func duration() throws(Refusal) -> Duration? {
        guard let duration = try quantity("duration", GoDuration.parse) else { return nil }
        guard duration > .zero else { throw refusal("duration", "must be more than 0") }
        return duration
    }

    fileprivate func percentage(_ key: String) throws(Refusal) -> Percentage? {
        try quantity(key, Percentage.parse)
    }

    fileprivate func correlation() throws(Refusal) -> Percentage {
        try percentage("correlation") ?? Percentage(basisPoints: 0)
    }
}
