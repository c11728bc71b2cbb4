/// The parts of a run and what happened in it, in seconds from its start: what stands behind every chart.
struct RunTimeline: Sendable, Equatable {
    struct Part: Sendable, Equatable {
        let phase: PhaseName
        let start: Double
        let end: Double
    }

    /// Events too close together to be told apart on a chart share one mark.
    struct Mark: Sendable, Equatable {
        let seconds: Double
        /// Of the first and the last of its events, from 1, as the table of events counts them.
        let first: Int
        let last: Int

        var label: String { first == last ? "\(first)" : "\(first)\u{2013}\(last)" }
    }

    let end: Double
    let parts: [Part]
    let marks: [Mark]

    /// The least distance of two marks, as a share of the chart.
    private static let markDistance = 0.06

    init(parts: [Part], marks: [Mark], end: Double) {
        self.parts = parts
        self.marks = marks
        self.end = end
    }

    init(_ journal: Journal) {
        let measured = journal.phases.map { phase in
            let start = max(0, phase.startedAt - journal.startedAt)
            return Part(
                phase: phase.name, start: Self.rounded(start), end: Self.rounded(start + max(0, phase.durationS)))
        }
        var parts = measured
        // The warm-up has no summary: its seconds say where it was.
        let warm = journal.series.filter { $0.phase == .warmUp }.map { Double($0.t) }
        if let first = warm.first, let last = warm.last {
            parts.insert(
                Part(phase: .warmUp, start: first, end: min(last + 1, measured.first?.start ?? last + 1)), at: 0)
        }
        let lastSecond = journal.series.last.map { Double($0.t) + 1 } ?? 0
        end = max(parts.map(\.end).max() ?? 0, lastSecond, 1)
        self.parts = parts
        marks = Self.marks(journal.events, end: end)
    }

    /// To milliseconds: differences of times since 1970 have no more in a floating-point number than a ten-millionth.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

    /// Events after the last second of the load, such as the check of the books, have no place on the charts.
    private static func marks(_ events: [Journal.Event], end: Double) -> [Mark] {
        var marks: [Mark] = []
        for (index, event) in events.enumerated() where (0...end).contains(event.t) {
            if let last = marks.last, event.t - last.seconds < markDistance * end {
                marks[marks.count - 1] = Mark(seconds: last.seconds, first: last.first, last: index + 1)
            } else {
                marks.append(Mark(seconds: event.t, first: index + 1, last: index + 1))
            }
        }
        return marks
    }

    static func name(_ phase: PhaseName) -> String {
        switch phase {
        case .warmUp: "warm-up"
        case .baseline: "before"
        case .fault: "fault"
        case .recovery: "after"
        }
    }
}
