/// Experiments one after another and side by side (Chaos Mesh 2.8: `WorkflowSpec`), every field of it.
///
/// ```
///   entry --> Serial ---children---> a, then b, then c
///             Parallel --children--> a, b and c at once
///             Suspend                waits until its deadline
///             NetworkChaos, ...      a fault until its deadline
/// ```
public struct WorkflowSpec: Sendable, Equatable {
    public indirect enum Body: Sendable, Equatable {
        /// One after another; the names of templates.
        case serial([String])
        /// All at once; over when the last one is.
        case parallel([String])
        /// Waits.
        case suspend
        case chaos(EmbeddedChaos)
        case schedule(ScheduleSpec)
        /// Asks over HTTP whether the system is well.
        /// - abortsWorkflow: whether a failed check ends the workflow.
        case statusCheck(StatusCheckSpec, abortsWorkflow: Bool)
        /// A container of its own, and what its exit decides; only clusters have those.
        case task(ManifestTree?, conditionalBranches: ManifestTree?)
    }

    public struct Template: Sendable, Equatable {
        public let name: String
        /// After this time it is ended, and everything in it; nil: when it is done. A chaos without one does not end
        /// before its workflow.
        public let deadline: Duration?
        public let body: Body

        /// The names of the templates that it starts.
        public var children: [String] {
            switch body {
            case .serial(let names), .parallel(let names): names
            default: []
            }
        }

        /// `Serial`, ..., `NetworkChaos`.
        public var type: String {
            switch body {
            case .serial: "Serial"
            case .parallel: "Parallel"
            case .suspend: "Suspend"
            case .chaos(let chaos): chaos.kind
            case .schedule: "Schedule"
            case .statusCheck: "StatusCheck"
            case .task: "Task"
            }
        }
    }

    /// The name of the template that is started first.
    public let entry: String
    /// In the order of the manifest; no two have one name, and none starts itself by any way round.
    public let templates: [Template]

    /// The template of that name; nil when there is none.
    public func template(named name: String) -> Template? {
        templates.first { $0.name == name }
    }

    /// How long it can last at most; nil when some part of it has no end of its own.
    public var longest: Duration? { longest(of: entry) }

    private func longest(of name: String) -> Duration? {
        guard let template = template(named: name) else { return nil }
        let own: Duration?
        switch template.body {
        case .serial(let names): own = sum(names.map(longest(of:)))
        case .parallel(let names):
            let all = names.map(longest(of:))
            own = all.contains(nil) ? nil : all.compactMap(\.self).max()
        case .suspend, .chaos, .schedule, .task: own = nil
        case .statusCheck(let check, _): own = check.longest
        }
        guard let own, let deadline = template.deadline else { return own ?? template.deadline }
        return min(own, deadline)
    }

    private func sum(_ durations: [Duration?]) -> Duration? {
        durations.reduce(.zero) { total, next in total.flatMap { total in next.map { total + $0 } } }
    }
}
