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
            let body = try? JSONEncoder().encode(Problem.malformed(Self.detail).document(instance: "/"))
        else { return context.write(data, promise: promise) }
        head.headerFields[.contentType] = "application/problem+json; charset=utf-8"
        head.headerFields[.contentLength] = String(body.count)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
    }
}
