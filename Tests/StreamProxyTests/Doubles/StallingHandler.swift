import NIOCore

/// A socket that takes nothing until it is told to: the last handler before the wire of an embedded channel.
final class StallingHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var isStalled = false
    private var held: [(NIOAny, EventLoopPromise<Void>?)] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isStalled {
            held.append((data, promise))
        } else {
            context.write(data, promise: promise)
        }
    }

    func flush(context: ChannelHandlerContext) {
        if !isStalled { context.flush() }
    }

    /// Bytes handed over that the socket has not taken.
    var heldBytes: Int { held.reduce(0) { $0 + unwrapOutboundIn($1.0).readableBytes } }

    func resume(context: ChannelHandlerContext) {
        isStalled = false
        let waiting = held
        held = []
        for (data, promise) in waiting { context.write(data, promise: promise) }
        context.flush()
    }
}
