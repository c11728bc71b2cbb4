import Foundation
import Testing

@testable import Cluster

@Suite struct LineSplitterTests {
    @Test(arguments: 1...12)
    func linesAreTheSameHoweverTheyAreCut(size: Int) throws {
        let text = Data("one\n\ntwo-and-more\nthree\nrest".utf8)
        var splitter = LineSplitter(limit: 100)
        var lines: [String] = []
        var start = text.startIndex
        while start < text.endIndex {
            let end = min(start + size, text.endIndex)
            lines += try splitter.append(text[start..<end]).map { String(decoding: $0, as: UTF8.self) }
            start = end
        }
        #expect(lines == ["one", "two-and-more", "three"])
    }

    @Test func aLineWithoutEndIsNotKeptForEver() throws {
        var splitter = LineSplitter(limit: 10)
        #expect(try splitter.append(Data("0123456789".utf8)).isEmpty)
        #expect(throws: LineSplitter.LineTooLong.self) { try splitter.append(Data("x".utf8)) }
    }

    @Test func pausesGrowAndStopGrowing() {
        var timing = ClusterTiming()
        timing.firstRetry = .milliseconds(100)
        timing.longestRetry = .milliseconds(300)
        var retry = Retry(timing)
        #expect((0..<4).map { _ in retry.next() } == [100, 200, 300, 300].map { .milliseconds($0) })
        retry.succeeded()
        #expect(retry.next() == .milliseconds(100))
    }
}
