import TestSupport
import Testing

@testable import ScenarioRunner

struct EventHubTests {
    private let hub = EventHub()

    @Test func everySubscriberGetsEveryEventInOrder() async throws {
        let streams = try (0..<3).map { _ in try #require(hub.subscribe()) }
        for number in 0..<10 { hub.publish("second", number) }
        for stream in streams {
            var received: [String] = []
            for await event in stream.prefix(10) { received.append("\(event.name) \(event.data)") }
            #expect(received == (0..<10).map { "second \($0)" })
        }
    }

    @Test func nobodyGetsWhatWasBeforeHim() async throws {
        hub.publish("second", 1)
        let stream = try #require(hub.subscribe())
        hub.publish("second", 2)
        #expect(await stream.first { _ in true }?.data == "2")
    }

    @Test func aSlowSubscriberLosesTheOldest() async throws {
        let stream = try #require(hub.subscribe())
        let published = EventHub.bufferedEvents + 100
        for number in 0..<published { hub.publish("second", number) }
        var received: [String] = []
        for await event in stream.prefix(EventHub.bufferedEvents) { received.append(event.data) }
        #expect(received == (100..<published).map(String.init))
    }

    @Test func subscribersAreLimitedAndLeave() async throws {
        var streams = try (0..<EventHub.maxSubscribers).map { _ in try #require(hub.subscribe()) }
        #expect(hub.subscriberCount == EventHub.maxSubscribers)
        #expect(hub.subscribe() == nil)
        streams.removeLast(2)
        #expect(hub.subscriberCount == EventHub.maxSubscribers - 2, "a stream that nobody holds is no subscriber")
        #expect(hub.subscribe() != nil)
        streams = []
        #expect(hub.subscriberCount == 0)
    }

    @Test func whoComesBackIsToldWhatItMissed() async throws {
        hub.publish("second", 1)
        let heard = try #require(hub.subscribe(after: nil))
        for number in 2...4 { hub.publish("second", number) }
        let back = try #require(hub.subscribe(after: heard.lastID))
        #expect(back.missed?.map(\.data) == ["2", "3", "4"])
        #expect(back.missed?.last?.id == back.lastID)
        #expect(hub.subscribe(after: back.lastID)?.missed?.isEmpty == true)
        hub.publish("second", 5)
        #expect(await back.events.first { _ in true }?.data == "5", "and then what happens")
    }

    @Test func whatIsNotKnownAnyMoreIsNotMadeUp() throws {
        let first = try #require(hub.subscribe(after: nil)).lastID
        let other = EventHub()
        other.publish("second", 1)
        let ofAnotherLife = try #require(other.subscribe(after: nil)).lastID
        for number in 0..<EventHub.keptEvents { hub.publish("second", number) }
        #expect(hub.subscribe(after: first)?.missed?.count == EventHub.keptEvents)
        hub.publish("second", 0)
        for id in [first, ofAnotherLife, "", "7", "a-b", nil] {
            let subscription = try #require(hub.subscribe(after: id))
            #expect(subscription.missed == nil, "\(id ?? "none")")
        }
    }

    @Test func aCancelledReaderLeaves() async throws {
        let stream = try #require(hub.subscribe())
        let reader = Task { for await _ in stream {} }
        reader.cancel()
        await reader.value
        #expect(hub.subscriberCount == 0)
        hub.publish("second", 1)
    }

    @Test func anEventIsOneLineOfJSON() throws {
        var event = try #require(EventHub.Event(name: "run", value: ["text": "a\nb\r\u{2028}/"]))
        #expect(event.text == "event: run\ndata: {\"text\":\"a\\nb\\r\u{2028}/\"}\n\n")
        event.id = "x-1"
        #expect(event.text.hasPrefix("id: x-1\nevent: run\ndata: "))
        #expect(EventHub.Event(name: "run", value: Double.nan) == nil)
    }
}
