import Foundation
import HTTPTypes
import Shared
import Synchronization
import Testing

/// The load loop on real sockets: the promises that it shares with ``HTTPClient``.
@Suite(.timeLimit(.minutes(1))) struct LoadLoopTests {
    /// Sends messages one after the other, or `width` at a time, and ends.
    private final class Driver: LoadDriver, @unchecked Sendable {
        struct End: Equatable {
            let token: Int
            let outcome: LoadEnd.Outcome
            let tookNs: UInt64
            let servedBy: String?
            let body: String
        }

        private var left: [LoadMessage]
        private let width: Int
        private var underWay = 0
        private let stored = Mutex<[End]>([])
        var ends: [End] { stored.withLock { $0 } }
        var outcomes: [LoadEnd.Outcome] { ends.sorted { $0.token < $1.token }.map(\.outcome) }

        init(_ messages: [LoadMessage], width: Int = 1) {
            left = messages.reversed()
            self.width = width
        }

        func step(nowNs: UInt64, message: inout LoadMessage) -> LoadStep {
            if underWay < width, let next = left.popLast() {
                message = next
                underWay += 1
                return .send
            }
            return underWay == 0 ? .finish : .wait(untilNs: .max)
        }

        func ended(_ end: LoadEnd) {
            underWay -= 1
            let told = End(
                token: end.token, outcome: end.outcome, tookNs: end.endedNs - end.startedNs, servedBy: end.servedBy,
                body: String(decoding: end.body, as: UTF8.self))
            stored.withLock { $0.append(told) }
        }
    }

    private func messages(_ count: Int, _ change: (inout LoadMessage) -> Void = { _ in }) -> [LoadMessage] {
        (0..<count).map { token in
            var message = LoadMessage()
            message.token = token
            change(&message)
            return message
        }
    }

    private func send(
        _ messages: [LoadMessage], _ form: LoadForm, width: Int = 1, timeout: Duration = .seconds(10),
        configuration: HTTPClientConfiguration = .init()
    ) async throws -> Driver {
        let driver = Driver(messages, width: width)
        try await LoadLoop(forms: [form], timeout: timeout, configuration: configuration).run(driver)
        return driver
    }

    @Test func requestsShareConnectionsAndKeepTheirOwnContents() async throws {
        let server = try HostileServer { peer in
            while let request = peer.readRequest() {
                let named = request.headers["x-own"] == "1" ? "X-Served-By: payment-1\r\n" : ""
                peer.answer("\(request.line)|\(request.body)", status: "201 Created", headers: named)
            }
        }
        var messages = messages(4)
        messages[1].url = "\(server.url)/other"
        messages[2].headers = [HTTPField(name: try #require(HTTPField.Name("X-Own")), value: "1")]
        messages[3].body = Array("longer than the form's".utf8)
        let form = LoadForm(method: .post, url: "\(server.url)/form", body: Array("form".utf8), keepsAnswer: true)
        let driver = try await send(messages, form)
        #expect(driver.outcomes == Array(repeating: .status(201), count: 4))
        #expect(
            driver.ends.map(\.body) == [
                "POST /form HTTP/1.1|form", "POST /other HTTP/1.1|form", "POST /form HTTP/1.1|form",
                "POST /form HTTP/1.1|longer than the form's",
            ])
        #expect(driver.ends.map(\.servedBy) == [nil, nil, "payment-1", nil])
        #expect(server.accepted == 1)
        await server.stop()
    }

    @Test func theDeadlineIsTotalAndOthersGoOn() async throws {
        let server = try HostileServer { peer in
            while let request = peer.readRequest() {
                guard request.line.contains("/slow") else {
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                }
                // Never done, never quiet: a timeout per read would wait for ever.
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in 0..<200 where peer.send("x") { usleep(20_000) }
            }
        }
        var messages = messages(20)
        for token in 0..<10 { messages[token].url = "\(server.url)/slow" }
        let form = LoadForm(method: .get, url: server.url + "/")
        let driver = try await send(messages, form, width: 20, timeout: .seconds(2))
        #expect(
            driver.outcomes == Array(repeating: .failed(.timedOut), count: 10)
                + Array(repeating: .status(200), count: 10))
        #expect(driver.ends.allSatisfy { $0.outcome == .status(200) || $0.tookNs >= 2_000_000_000 })
        await server.stop()
    }

    /// The server takes two requests, and closes on the second without a word.
    @Test(arguments: [(HTTPRequest.Method.get, true), (.post, false)])
    func onlyWhatIsSafeIsSentAgain(method: HTTPRequest.Method, isSafe: Bool) async throws {
        let server = try HostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            _ = peer.readRequest()
        }
        let driver = try await send(messages(2), LoadForm(method: method, url: server.url + "/"))
        #expect(driver.outcomes == [.status(200), isSafe ? .status(200) : .failed(.connectionLost)])
        await server.stop()
    }

    @Test func bytesAfterTheAnswerAreNotTheNextAnswer() async throws {
        let server = try HostileServer { peer in
            while peer.readRequest() != nil {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let driver = try await send(messages(6), LoadForm(method: .get, url: server.url + "/"))
        #expect(driver.outcomes == Array(repeating: .status(200), count: 6))
        await server.stop()
    }

    @Test func limitsAndFailuresHaveNames() async throws {
        let server = try HostileServer { peer in
            guard let request = peer.readRequest() else { return }
            if request.line.contains("/long") {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
                for _ in 0..<300 where peer.send(String(repeating: "x", count: 10_000)) {}
            } else if request.line.contains("/fields") {
                let fields = (0..<50).map { "F\($0): x\r\n" }.joined()
                peer.send("HTTP/1.1 200 OK\r\n\(fields)Content-Length: 0\r\n\r\n")
            } else if request.line.contains("/garbage") {
                peer.send("HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n")
            }
        }
        var messages = messages(6)
        for (token, path) in ["/long", "/fields", "/garbage", "/nothing"].enumerated() {
            messages[token].url = server.url + path
        }
        messages[4].url = "http://127.0.0.1:\(try HostileServer.refusedPort())/"
        messages[5].url = "http://127.0.0.1/a b"
        let driver = try await send(
            messages, LoadForm(method: .get, url: server.url + "/"), width: 6,
            configuration: .init(maxHeaderFields: 20))
        #expect(
            driver.outcomes == [
                .failed(.responseTooLarge(limit: 1024 * 1024)), .failed(.malformedResponse),
                .failed(.malformedResponse), .failed(.connectionLost), .failed(.connectFailed), .failed(.invalidURL),
            ])
        await server.stop()
    }

    @Test func manyConnectionsCarryManyRequests() async throws {
        let server = try HostileServer { peer in
            while peer.readRequest() != nil { peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        }
        let driver = try await send(messages(2000), LoadForm(method: .get, url: server.url + "/"), width: 50)
        #expect(driver.outcomes == Array(repeating: .status(200), count: 2000))
        #expect(server.accepted <= 50)
        await server.stop()
    }

    /// Nothing is under way, nothing is due: only the wake-up ends it.
    @Test func wakingHasTheDriverAsked() async throws {
        final class Sleeper: LoadDriver {
            let isOver = Atomic<Bool>(false)
            func step(nowNs: UInt64, message: inout LoadMessage) -> LoadStep {
                isOver.load(ordering: .acquiring) ? .finish : .wait(untilNs: .max)
            }
            func ended(_ end: LoadEnd) {}
        }
        let loop = try LoadLoop(forms: [], timeout: .seconds(1))
        let sleeper = Sleeper()
        async let ended: Void = loop.run(sleeper)
        try await Task.sleep(for: .milliseconds(20))
        sleeper.isOver.store(true, ordering: .releasing)
        loop.wake()
        await ended
    }
}
