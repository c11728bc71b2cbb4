import Foundation
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Gives the answer to a request that is no HTTP the shape of all other errors.
///
/// ```
///   bytes --parser--> error --Hummingbird--> 400, Content-Length: 0 --this--> 400 with problem+json
/// ```
///
/// No middleware sees such a request, for there is none. The server closes the connection after the answer, as nobody
/// can tell where the next request begins.
final class MalformedRequestHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let detail = "The request is not well-formed HTTP, or its header is too long."

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // No answer of a handler is a 400 without a body.
        guard case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.contentLength] == "0",
            let body = try? Self.body()
        else { return context.write(data, promise: promise) }
        head.headerFields[.contentType] = "application/problem+json; charset=utf-8"
        head.headerFields[.contentLength] = String(body.count)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
    }
    private static func body() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Problem.malformed(detail).document(instance: "/"))
    }
}

/// Closes the connection of a request that takes too long to arrive: a byte every few seconds keeps a connection from
/// being idle, and a place among the requests in flight taken.
///
/// ```
///   head --> clock starts --> body ... --> end --> clock stops
///                  '--------- limit --------> close
/// ```
final class RequestReadingLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let limit: TimeAmount
    private var deadline: Scheduled<Void>?

    init(_ limit: Duration) { self.limit = TimeAmount(limit) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
        case .body: break
        case .end: stop()
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    private func stop() {
        deadline?.cancel()
        deadline = nil
    }
}
