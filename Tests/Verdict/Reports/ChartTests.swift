import Foundation
import Testing

@testable import Verdict

@Suite struct ChartTests {
    @Test func timesHaveRoundTicks() {
        let axis = TimeAxis(end: 35)
        #expect(axis.ticks.map(\.label) == ["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s"])
        #expect(axis.x(0) == 0 && axis.x(35) == 1000 && axis.x(70) == 1000 && axis.percent(17.5) == 50)
        #expect(TimeAxis(end: 1800).ticks.map(\.label).last == "30:00")
        #expect(TimeAxis(end: 0).ticks.map(\.label) == ["0", "1 s"] && TimeAxis(end: .nan).end == 1)
        for end in [1, 7, 60, 61, 600, 3599, 40_000, 1e6] {
            #expect((2...12).contains(TimeAxis(end: end).ticks.count), "\(end)")
        }
    }

    @Test func countsReachARoundNumber() {
        let axis = ValueAxis.counting(to: 23)
        #expect(axis.high >= 23 && axis.ticks.first?.label == "0" && axis.ticks.last?.value == axis.high)
        #expect(axis.y(0) == ValueAxis.height && axis.y(axis.high) == 0 && axis.y(1e9) == 0)
        #expect(ValueAxis.counting(to: 0).high >= 1)
    }

    @Test func latenciesThatSpanDecadesAreLogarithmic() {
        let axis = ValueAxis.latency([9, 12, 5000])
        #expect(axis.isLogarithmic && axis.low == 1 && axis.high == 10_000)
        #expect(axis.ticks.map(\.label) == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"])
        #expect(abs(axis.y(100) - ValueAxis.height / 2) < 0.001, "half of the decades are half of the height")
        let near = ValueAxis.latency([9, 30])
        #expect(!near.isLogarithmic && near.low == 0 && near.high >= 30)
        #expect(ValueAxis.latency([]).high > 0 && ValueAxis.latency([0, .nan]).high > 0)
    }

    @Test func linesBreakWhereNothingWasMeasured() {
        let (time, values) = (TimeAxis(end: 10), ValueAxis.percent)
        let line = Strokes.line([(0, 100), (1, 50), (2, nil), (3, 0), (4, nil)], time, values)
        #expect(line == "M0 0L100 85M300 170h1", "a lonely second is a dash")
        #expect(Strokes.line([], time, values).isEmpty)
        #expect(Strokes.steps([(0, 0, 50), (1, 50, 50)], time, values) == "M0 170V85H100V170Z")
        #expect(Strokes.edge([(0, 50), (1, 100)], time, values) == "M0 85H100L100 0H200")
    }

    @Test func marksThatWouldCoverEachOtherAreOne() {
        var journal = JournalTests.journal
        journal.events = [
            .init(t: 1, name: "a", detail: ""), .init(t: 12.5, name: "b", detail: ""),
            .init(t: 12.6, name: "c", detail: ""), .init(t: 43, name: "d", detail: ""),
            .init(t: 900, name: "after the load", detail: ""),
        ]
        #expect(RunTimeline(journal).marks.map(\.label) == ["1", "2\u{2013}3", "4"])
    }

    @Test func partsAreWhereTheJournalSays() {
        let timeline = RunTimeline(JournalTests.journal)
        #expect(timeline.parts.map(\.phase) == [.warmUp, .baseline, .fault, .recovery])
        #expect(timeline.parts.map(\.start) == [0, 2, 12.5, 43])
        #expect(timeline.end == 63)
    }

    @Test func callersStandLeftOfCallees() throws {
        let topology = RunTopology(
            services: [
                .init(name: "payment-service", replicas: ["payment-0", "payment-1"]),
                .init(name: "inventory-service", replicas: ["inventory-0"]),
                .init(name: "notification-service", replicas: ["notification-0"]),
            ],
            paths: [
                .init(from: "client", to: "payment-service"),
                .init(from: "payment-service", to: "inventory-service"),
                .init(from: "payment-service", to: "notification-service"),
                // A circle must not run for ever.
                .init(from: "inventory-service", to: "payment-service"),
            ],
            broken: [.init(from: "payment-0", to: "inventory-0", label: "drops 80 % of packets")])
        let layout = TopologyLayout(topology)
        let client = try #require(layout.box("client"))
        let payment = try #require(layout.box("payment-service"))
        #expect(client.x < payment.x)
        for box in layout.boxes {
            #expect(box.x >= 0 && box.x + TopologyLayout.boxWidth <= layout.width)
            #expect(box.y >= 0 && box.y + box.height <= layout.height)
        }
        let drawing = TopologyDrawing(topology).markup.text
        #expect(drawing.components(separatedBy: "class=\"break\"").count == 2)
        #expect(drawing.contains("payment-0 \u{2192} inventory-0: drops 80 % of packets"))
        #expect(TopologyDrawing(RunTopology()).markup == .none)
        #expect(layout.ends(from: "payment-0", to: "nobody") == nil)
    }
}
