/// Experiments to be run one after the other, from a YAML file or from a folder of manifests.
///
/// ```yaml
///   name: nightly
///   rest: 10s                         # between two runs, at least; the system has to be well again too
///   rate: 20                          # baseline, duration, recovery and rate are those of every run
///   experiments:
///     - packet-loss-80-percent        # a name alone
///     - name: cpu-stress-payment      # or with what is different here
///       duration: 20s
///       expect: success >= 95%, money right
/// ```
public struct Suite: Sendable, Equatable {
    /// What a run is asked for; nil is the runner's default, or the suite's.
    public struct Settings: Sendable, Equatable {
        public var baseline: Duration?
        public var duration: Duration?
        public var recovery: Duration?
        /// Requests a second.
        public var rate: Int?

        public init() {}

        /// These, and where they say nothing, `others`.
        public func over(_ others: Settings) -> Settings {
            var merged = self
            merged.baseline = baseline ?? others.baseline
            merged.duration = duration ?? others.duration
            merged.recovery = recovery ?? others.recovery
            merged.rate = rate ?? others.rate
            return merged
        }
    }

    public struct Entry: Sendable, Equatable {
        public let experiment: String
        public var settings = Settings()
        /// Instead of the experiment's own hypothesis.
        public var expect: Hypothesis?
        /// Why it cannot be run, known before anything begins; nil when nothing is.
        public var problem: String?

        public init(experiment: String) { self.experiment = experiment }
    }

    public let name: String
    /// At least this long between two runs; nil when nobody says.
    public let rest: Duration?
    public let settings: Settings
    public let entries: [Entry]

    /// More experiments are refused: they would take a day.
    public static let maximumEntries = 500
    private static let longestRest = Duration.seconds(3600)

    /// Every experiment of a folder, in the order of the files; what does not load is an entry with its problem.
    ///
    /// - Throws: ``Refusal`` when it holds no experiment, with the reason of the first file that does not load.
    public init(folder: String) throws(Refusal) {
        let catalogue = Catalogue.load(folder: folder)
        guard !catalogue.experiments.isEmpty else {
            let reason = catalogue.problems.first?.description ?? "holds no manifests"
            throw Refusal(file: folder, line: 1, field: "", reason: "\(reason): name a folder with .yaml files")
        }
        var entries = catalogue.experiments.prefix(Self.maximumEntries).map { Entry(experiment: $0.name) }
        for problem in catalogue.problems {
            var entry = Entry(experiment: problem.file)
            entry.problem = problem.description
            entries.append(entry)
        }
        let words = folder.split(separator: "/")
        self.init(name: words.last.map(String.init) ?? folder, rest: nil, settings: Settings(), entries: entries)
    }

    /// - Parameter file: the path of `text`, for refusals.
    /// - Throws: ``Refusal`` with file, line and field of the first thing that is wrong; nothing is ignored.
    public init(yaml text: String, file: String) throws(Refusal) {
        let fields = try ManifestLoader.document(text, file: file)
        if fields.has("apiVersion") {
            throw fields.refusal(
                "apiVersion", "this is a manifest, not a suite: name its folder, or list it in a suite")
        }
        try fields.allow(["name", "rest", "experiments"] + Self.settingNames)
        let settings = try Self.settings(fields)
        var entries: [Entry] = []
        for element in try fields.elements("experiments") {
            switch element {
            case .text(let name): entries.append(Entry(experiment: name))
            case .fields(let fields): entries.append(try Self.entry(fields))
            }
        }
        guard !entries.isEmpty else { throw fields.refusal("experiments", "is required: name at least one experiment") }
        guard entries.count <= Self.maximumEntries else {
            throw fields.refusal("experiments", "has more than \(Self.maximumEntries) entries")
        }
        let name = try fields.string("name")
        self.init(
            name: name ?? file.split(separator: "/").last.map(String.init) ?? file,
            rest: try Self.duration(fields, "rest"), settings: settings, entries: entries)
    }

    private init(name: String, rest: Duration?, settings: Settings, entries: [Entry]) {
        self.name = name
        self.rest = rest
        self.settings = settings
        self.entries = entries
    }

    private static let settingNames = ["baseline", "duration", "recovery", "rate"]

    private static func entry(_ fields: ManifestFields) throws(Refusal) -> Entry {
        try fields.allow(["name", "expect"] + settingNames)
        var entry = Entry(experiment: try fields.require("name", fields.string("name")))
        entry.settings = try settings(fields)
        entry.expect = try fields.quantity("expect", Hypothesis.parse)
        return entry
    }

    private static func settings(_ fields: ManifestFields) throws(Refusal) -> Settings {
        var settings = Settings()
        settings.baseline = try duration(fields, "baseline")
        settings.duration = try duration(fields, "duration")
        settings.recovery = try duration(fields, "recovery")
        settings.rate = try fields.integer("rate", in: RunLimits.rates)
        return settings
    }

    private static func duration(_ fields: ManifestFields, _ key: String) throws(Refusal) -> Duration? {
        guard let duration = try fields.quantity(key, GoDuration.parse) else { return nil }
        let range =
            switch key {
            case "rest": Duration.zero...longestRest
            case "duration": RunLimits.shortest...RunLimits.longestFault
            default: RunLimits.shortest...RunLimits.longestPhase
            }
        guard range.contains(duration) else {
            let (least, most) = (GoDuration.text(range.lowerBound), GoDuration.text(range.upperBound))
            throw fields.refusal(key, "must be from \(least) to \(most)")
        }
        return duration
    }
}
