import Experiments
import Shared

/// What a fault on pods has done to them, seen from the pods: killed, restarted or down.
struct PodEffect: Sendable {
    private enum Wish: Sendable {
        case killed
        /// The containers' names.
        case restarted([String])
        case down
    }

    private let wish: Wish?
    /// As they were before.
    private let pods: [PodFacts]
    private var kills: [KillReading.Kill] = []
    private var allDownSince: ContinuousClock.Instant?

    init(_ spec: Experiment.Spec, _ pods: [PodFacts]) {
        self.pods = pods
        if case .pod(let pod) = spec {
            wish =
                switch pod.action {
                case .podKill: .killed
                case .containerKill: .restarted(pod.containerNames)
                case .podFailure: .down
                }
        } else {
            wish = nil
        }
    }

    /// Other faults do not show in pods.
    var looksAtPods: Bool { wish != nil }

    /// It is in force, as far as Chaos Mesh says.
    mutating func begin(at now: ContinuousClock.Instant) { allDownSince = nil }

    /// - Parameter current: the namespace's pods now.
    mutating func reading(_ current: [PodFacts], at now: ContinuousClock.Instant) -> DoseReading {
        let there = Dictionary(current.map { ($0.uid, $0) }) { $1 }
        switch wish {
        case .killed:
            for pod in pods where there[pod.uid] == nil { kill(pod.name, "deleted") }
            return .kills(reading(asked: pods.map(\.name)))
        case .restarted(let names):
            for pod in pods { noteRestarts(of: names, in: pod, now: there[pod.uid]) }
            return .kills(reading(asked: pods.flatMap { pod in names.map { "\(pod.name)/\($0)" } }))
        case .down, nil:
            let down = pods.filter { there[$0.uid]?.isReady != true }.map(\.name)
            if down.count < pods.count { allDownSince = nil }
            if down.count == pods.count, allDownSince == nil { allDownSince = now }
            let seconds = allDownSince.map { $0.duration(to: now).seconds } ?? 0
            return .downtime(DowntimeReading(asked: pods.count, down: down, seconds: seconds))
        }
    }

    /// A container that was killed has a new id and one restart more; while it backs off, only the restart is missing.
    private mutating func noteRestarts(of names: [String], in pod: PodFacts, now current: PodFacts?) {
        for name in names {
            guard let before = pod.containers.first(where: { $0.name == name }) else { continue }
            guard let after = current?.containers.first(where: { $0.name == name }) else {
                kill("\(pod.name)/\(name)", "its pod is gone")
                continue
            }
            if after.restarts > before.restarts || (after.id != before.id && before.id != nil) {
                kill("\(pod.name)/\(name)", "restarted, \(after.restarts) times now")
            }
        }
    }

    private mutating func kill(_ replica: String, _ end: String) {
        guard !kills.contains(where: { $0.replica == replica }) else { return }
        kills.append(.init(replica: replica, pid: nil, end: end, time: .now))
    }

    private func reading(asked: [String]) -> KillReading {
        KillReading(
            asked: asked.count, killed: kills,
            waiting: asked.filter { name in !kills.contains { $0.replica == name } })
    }
}
