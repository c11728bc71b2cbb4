/// A time chart as SVG that is complete without a script: scale, grid, parts of the run, marks of events, and what is
/// drawn on it.
///
/// ```
///        before      fault         after      texts in percent, never stretched
///   label |  part  |   part   |    part    |
///   label |------------canvas--------------|   1000 x 170, stretched to the page
///         0        10 s      20 s
/// ```
struct ChartFrame: Sendable {
    /// A part of the drawing with its name: an entry of the key.
    struct Key: Sendable {
        /// What the style sheet knows it by: `ok`, `p95`.
        let name: String
        let label: String
    }

    /// Unique on the page; also what the script knows the chart by.
    let id: String
    let title: String
    let subtitle: String
    /// What the chart shows in one sentence, for those who do not see it.
    let description: String
    let time: TimeAxis
    let values: ValueAxis
    let timeline: RunTimeline
    let keys: [Key]

    private static let top = 26.0
    private static let bottom = 24.0
    private static var height: Double { top + ValueAxis.height + bottom }
    private static let scaleWidth = 56
    /// A narrower part has no room for its name.
    private static let leastShareForName = 0.09

    /// - Parameter drawing: paths on the canvas.
    func figure(_ drawing: Markup) -> Markup {
        """
        <figure class="chart" data-chart="\(id)">
        <figcaption><h3>\(title)</h3><span class="soft">\(subtitle)</span>\(key)</figcaption>
        <div class="plot">
        <svg class="scale" width="\(Self.scaleWidth)" height="\(Self.height)" aria-hidden="true">\(scale)</svg>
        <svg class="canvas" width="100%" height="\(Self.height)" role="img" aria-labelledby="\(id)-title \(id)-desc">
        <title id="\(id)-title">\(title)</title><desc id="\(id)-desc">\(description)</desc>
        <svg y="\(Self.top)" width="100%" height="\(ValueAxis.height)" \
        viewBox="0 0 \(TimeAxis.width) \(ValueAxis.height)" preserveAspectRatio="none">\(bands)\(grid)\(drawing)\
        \(markLines)</svg>
        \(partNames)\(timeLabels)\(markLabels)
        </svg>
        </div>
        </figure>

        """
    }

    private var key: Markup {
        guard !keys.isEmpty else { return .none }
        let entries: [Markup] = keys.map { "<li class=\"key\" data-key=\"\($0.name)\">\($0.label)</li>" }
        return "<ul class=\"keys\">\(entries)</ul>"
    }

    private var scale: Markup {
        let labels: [Markup] = values.ticks.map { tick in
            """
            <text class="tick" x="\(Self.scaleWidth - 8)" y="\(Self.top + values.y(tick.value) + 4)" \
            text-anchor="end">\(tick.label)</text>
            """
        }
        return "\(labels)"
    }

    private var bands: Markup {
        let bands: [Markup] = timeline.parts.map { part in
            let x = time.x(part.start)
            return """
                <rect class="band" data-phase="\(part.phase.rawValue)" x="\(x)" y="0" width="\(time.x(part.end) - x)" \
                height="\(ValueAxis.height)"/>
                """
        }
        return "\(bands)"
    }

    private var grid: Markup {
        let lines: [Markup] = values.ticks.map { tick in
            "<path class=\"grid\" d=\"M0 \(values.y(tick.value))H\(TimeAxis.width)\"/>"
        }
        return "\(lines)"
    }

    private var partNames: Markup {
        let names: [Markup] = timeline.parts.filter { $0.end - $0.start >= Self.leastShareForName * time.end }.map {
            part in
            """
            <text class="part" data-phase="\(part.phase.rawValue)" x="\(time.percent((part.start + part.end) / 2))%" \
            y="\(Self.top - 8)" text-anchor="middle">\(RunTimeline.name(part.phase))</text>
            """
        }
        return "\(names)"
    }

    private var timeLabels: Markup {
        let labels: [Markup] = time.ticks.enumerated().map { index, tick in
            let percent = time.percent(tick.seconds)
            let anchor = percent < 4 ? "start" : percent > 96 ? "end" : "middle"
            let rank = index.isMultiple(of: 2) ? "tick" : "tick minor"
            return """
                <text class="\(rank)" x="\(percent)%" y="\(Self.height - 5)" text-anchor="\(anchor)">\(tick.label)</text>
                """
        }
        return "\(labels)"
    }

    private var markLines: Markup {
        let lines: [Markup] = timeline.marks.map { mark in
            "<path class=\"mark\" d=\"M\(time.x(mark.seconds)) 0V\(ValueAxis.height)\"/>"
        }
        return "\(lines)"
    }

    private var markLabels: Markup {
        let labels: [Markup] = timeline.marks.map { mark in
            let percent = time.percent(mark.seconds)
            let anchor = percent > 96 ? "end" : "start"
            let shift = percent > 96 ? -4 : 4
            return """
                <text class="mark-label" x="\(percent)%" dx="\(shift)" y="\(Self.top + 12)" \
                text-anchor="\(anchor)">\(mark.label)</text>
                """
        }
        return "\(labels)"
    }
}
