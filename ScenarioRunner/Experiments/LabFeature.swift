/// What a manifest can ask of the lab beyond the plain: one line for each thing that an engine has to be able to do.
enum LabFeature: String, CaseIterable {
    case partition = "cut connections"
    case delay = "delay packets"
    case reorder = "reorder packets"
    case duplicate = "repeat packets"
    case corrupt = "damage packets"
    case rate = "slow packets down to a rate"
    case bandwidth = "limit the bandwidth"
    case correlatedLoss = "drop packets with a correlation"
    case externalTargets = "break the way to external targets"
    case shareOfMemory = "hold memory in percent"
    case outOfMemoryScore = "set the workers' oomScoreAdj"
    case disk = "write to disks"
    case stressNGWords = "read stress-ng's options"
    case containers = "choose containers by name"
    case podKill = "kill replicas"
    case podFailure = "make replicas fail"
    case containerKill = "kill containers"
    case schedule = "run schedules"
    case workflow = "run workflows"
    case statusCheck = "run status checks"
    case failureModes = "change failure modes over time"

    /// What ``LocalEngine`` cannot inject today. Whoever makes an engine able to do it takes its line away, and the
    /// experiments that need it run.
    static let notYet: [LabFeature] = [
        .externalTargets
    ]
}

/// One thing that an experiment asks of the lab.
struct LabDemand {
    enum Need {
        case feature(LabFeature)
        /// What no lab will do, and why.
        case never(String)
    }

    /// Where the manifest asks for it: `spec.loss.correlation`.
    let field: String
    let need: Need

    init(_ field: String, _ feature: LabFeature) {
        self.field = field
        need = .feature(feature)
    }

    init(_ field: String, never reason: String) {
        self.field = field
        need = .never(reason)
    }

    var isImpossible: Bool {
        if case .never = need { true } else { false }
    }

    /// Why the lab cannot do it; nil when it can.
    var refusal: String? {
        switch need {
        case .feature(let feature):
            LabFeature.notYet.contains(feature) ? "the local lab cannot \(feature.rawValue) yet" : nil
        case .never(let reason): reason
        }
    }
}
