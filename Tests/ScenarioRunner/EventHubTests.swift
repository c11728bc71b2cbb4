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

    @Test func aCancelledReaderLeaves() async throws {
        let stream = try #require(hub.subscribe())
        let reader = Task { for await _ in stream {} }
        reader.cancel()
        await reader.value
        #expect(hub.subscriberCount == 0)
        hub.publish("second", 1)
    }

    @Test func anEventIsOneLineOfJSON() throws {
        let event = try #require(EventHub.Event(name: "run", value: ["text": "a\nb\r\u{2028}/"]))
        #expect(event.text == "event: run\ndata: {\"text\":\"a\\nb\\r\u{2028}/\"}\n\n")
        #expect(EventHub.Event(name: "run", value: Double.nan) == nil)
    }
}
