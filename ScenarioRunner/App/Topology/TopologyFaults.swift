import Experiments
import Shared

extension TopologyDocument {
    /// One thing that a fault in force does.
    struct Fault: Encodable, Sendable, Equatable {
        let kind: FaultSign.Kind
        let label: String
        let direction: NetworkChaosSpec.Direction?
        let places: [Place]
        /// Nil for failure modes that a person switched on.
        let runID: String?
        let experiment: String?
        /// When it will be taken away, in Unix seconds; nil when nobody knows, and once that has begun.
        let until: Double?

        enum CodingKeys: String, CodingKey {
            case kind, label, direction, places, experiment, until
            case runID = "run_id"
        }

        /// Written out for its nulls.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(kind, forKey: .kind)
            try container.encode(label, forKey: .label)
            try container.encode(direction, forKey: .direction)
            try container.encode(places, forKey: .places)
            try container.encode(runID, forKey: .runID)
            try container.encode(experiment, forKey: .experiment)
            try container.encode(until, forKey: .until)
        }
    }

    /// A replica, or the way from one host to another.
    struct Place: Encodable, Sendable, Equatable {
        var replica: String?
        var from: String?
        var to: String?

        init(_ place: FaultPlan.Place) {
            switch place {
            case .replica(let name): replica = name
            case .path(let from, let to): (self.from, self.to) = (from, to)
            }
        }
    }
}

extension TopologyDocument.Facts {
    /// The failure modes act in the payment service, where its gateway begins.
    private static let gateway = FaultPlan.Place.path(from: "payment", to: "gateway")

    var faults: [TopologyDocument.Fault] {
        let holder = runs.first { $0.id == failureModesHolder }
        return inForce.flatMap(faults)
            + failureModes.signs.map { sign in
                .init(
                    kind: sign.kind, label: sign.label, direction: nil, places: [.init(Self.gateway)],
                    runID: holder?.id, experiment: holder?.experiment, until: holder.flatMap(end))
            }
    }

    private func faults(of entry: FaultBoard.Entry) -> [TopologyDocument.Fault] {
        // A part of a run has the run's id before its own name. What could not be removed outlives its run.
        let run = runs.first { entry.id == $0.id || entry.id.hasPrefix("\($0.id)-") }
        let ends = [run.flatMap(end), entry.endsAt?.seconds].compactMap(\.self)
        return entry.signs.map { sign in
            .init(
                kind: sign.kind, label: sign.label, direction: entry.direction, places: entry.places.map { .init($0) },
                runID: run?.id ?? entry.id, experiment: run?.experiment, until: entry.isLeaving ? nil : ends.min())
        }
    }

    private func end(of run: RunView) -> Double? {
        run.phase == .fault && run.state == .running ? run.phaseEndsAt : nil
    }
}
