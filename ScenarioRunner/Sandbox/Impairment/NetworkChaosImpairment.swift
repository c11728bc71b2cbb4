import Experiments

extension NetworkChaosSpec {
    /// What a path's worker has to do for this fault; nil when plain rules do it: a partition, or nothing but a loss
    /// without correlation.
    var impairment: Impairment? {
        switch action {
        case .partition:
            return nil
        case .bandwidth:
            return bandwidth.map { Impairment(bandwidth: $0.impairment) }
        case .netem, .delay, .loss, .duplicate, .corrupt:
            let isPlainLoss = delay == nil && duplicate == nil && corrupt == nil && rate == nil
            if isPlainLoss, loss?.correlation.basisPoints ?? 0 == 0 { return nil }
            return Impairment(
                delay: delay?.impairment, loss: loss.map { .init($0.loss, $0.correlation) },
                duplicate: duplicate.map { .init($0.share, $0.correlation) },
                corrupt: corrupt.map { .init($0.share, $0.correlation) }, rateBitsPerSecond: rate?.bitsPerSecond)
        }
    }
}

extension NetworkChaosSpec.Delay {
    fileprivate var impairment: Impairment.Delay {
        Impairment.Delay(
            latency: latency, jitter: jitter, correlation: correlation.fraction,
            reorder: reorder.map { .init(share: .init($0.reorder, $0.correlation), gap: $0.gap) })
    }
}

extension NetworkChaosSpec.Bandwidth {
    /// A peak rate counts only together with its bucket, as for Chaos Mesh (`ToTbf`).
    fileprivate var impairment: Impairment.Bandwidth {
        let peak = minburst.map { $0 > 0 } == true ? peakrate.flatMap { $0 > 0 ? UInt64($0) : nil } : nil
        return Impairment.Bandwidth(
            bitsPerSecond: rate.bitsPerSecond, limitBytes: limit, bufferBytes: buffer,
            peakBitsPerSecond: peak.map { $0 * 8 }, minburstBytes: minburst ?? 0)
    }
}

extension Impairment.Share {
    fileprivate init(_ probability: Percentage, _ correlation: Percentage) {
        self.init(probability: probability.fraction, correlation: correlation.fraction)
    }
}
