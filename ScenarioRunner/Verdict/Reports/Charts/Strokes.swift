/// Paths on a chart's canvas, as the `d` of an SVG path.
enum Strokes {
    /// A line through the points, broken where a value is missing; a lonely point is a short dash.
    static func line(_ points: [(seconds: Double, value: Double?)], _ time: TimeAxis, _ values: ValueAxis) -> String {
        var path = ""
        var isOpen = false
        for (index, point) in points.enumerated() {
            guard let value = point.value else {
                isOpen = false
                continue
            }
            let place = "\(Markup.coordinate(time.x(point.seconds))) \(Markup.coordinate(values.y(value)))"
            path += isOpen ? "L\(place)" : "M\(place)"
            let isAlone = !isOpen && (index + 1 == points.count || points[index + 1].value == nil)
            if isAlone { path += "h1" }
            isOpen = true
        }
        return path
    }

    /// Steps a second wide from `floor` to `top`, second by second; nothing where both are equal.
    static func steps(
        _ seconds: [(start: Double, floor: Double, top: Double)], _ time: TimeAxis, _ values: ValueAxis
    ) -> String {
        var path = ""
        for second in seconds where second.top > second.floor {
            let (left, right) = (time.x(second.start), time.x(second.start + 1))
            let (bottom, top) = (values.y(second.floor), values.y(second.top))
            path += "M\(Markup.coordinate(left)) \(Markup.coordinate(bottom))V\(Markup.coordinate(top))"
            path += "H\(Markup.coordinate(right))V\(Markup.coordinate(bottom))Z"
        }
        return path
    }

    /// The upper edge of steps, as one line.
    static func edge(_ seconds: [(start: Double, value: Double)], _ time: TimeAxis, _ values: ValueAxis) -> String {
        seconds.enumerated().map { index, second in
            let place = "\(Markup.coordinate(time.x(second.start))) \(Markup.coordinate(values.y(second.value)))"
            return "\(index == 0 ? "M" : "L")\(place)H\(Markup.coordinate(time.x(second.start + 1)))"
        }.joined()
    }
}
