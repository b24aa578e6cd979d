import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// Turns frames into messages and holds the server to RFC 6455.
final class WebSocketReader: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    private let connection: WebSocketConnection
    /// A message whose last fragment has not come.
    private var partial: (opcode: WebSocketMessageKind, bytes: ByteBuffer)?
    private var isDone = false

    init(connection: WebSocketConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        let frame = Self.unwrapInboundIn(data)
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return fail(1_002, "a frame has reserved bits set", context)
        }
        guard frame.maskKey == nil else { return fail(1_002, "the server masks its frames", context) }
        switch frame.opcode {
        case .text: begin(.text, frame, context)
        case .binary: begin(.binary, frame, context)
        case .continuation: append(frame, context)
        case .ping:
            if case .open(let channel) = connection.state { connection.write(.pong, frame.data, on: channel) }
        case .pong: connection.didReceive(.pong, frame.data)
        case .connectionClose: close(frame.data, context)
        default: fail(1_002, "a frame has an unknown opcode", context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isDone else { return }
        switch error {
        case NIOWebSocketError.invalidFrameLength: fail(1_009, "a message is too large", context)
        case is NIOWebSocketError: fail(1_002, "a control frame is malformed", context)
        // Servers that hang up without a TLS farewell are no rarity, and say nothing else.
        case NIOSSLError.uncleanShutdown: context.close(promise: nil)
        default:
            isDone = true
            connection.lose(Dialer.failure(error, url: connection.url))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.lose(nil)
        context.fireChannelInactive()
    }

    private func begin(_ opcode: WebSocketMessageKind, _ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        guard partial == nil else { return fail(1_002, "a message begins inside another", context) }
        if frame.fin { deliver(opcode, frame.data, context) } else { partial = (opcode, frame.data) }
    }

    private func append(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        guard var message = partial else { return fail(1_002, "a fragment belongs to no message", context) }
        // Let go of the other reference, or every fragment copies all before it.
        partial = nil
        guard message.bytes.readableBytes + frame.data.readableBytes <= connection.options.maxMessage else {
            return fail(1_009, "a message is too large", context)
        }
        message.bytes.writeImmutableBuffer(frame.data)
        if frame.fin { deliver(message.opcode, message.bytes, context) } else { partial = message }
    }

    private func deliver(_ opcode: WebSocketMessageKind, _ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if opcode == .text, !UTF8Text.isValid(bytes.readableBytesView) {
            return fail(1_007, "a text message is not UTF-8", context)
        }
        connection.didReceive(opcode, bytes)
    }

    private func close(_ data: ByteBuffer, _ context: ChannelHandlerContext) {
        isDone = true
        var data = data
        guard data.readableBytes > 0 else {
            return connection.didReceiveClose(code: nil, reason: "", on: context.channel)
        }
        guard let code = data.readInteger(as: UInt16.self), WebSocketCloseCode.isSendable(code) else {
            return fail(1_002, "the close frame's code is not allowed", context)
        }
        guard UTF8Text.isValid(data.readableBytesView) else {
            return fail(1_007, "the close frame's reason is not UTF-8", context)
        }
        connection.didReceiveClose(code: code, reason: String(buffer: data), on: context.channel)
    }

    private func fail(_ code: UInt16, _ message: String, _ context: ChannelHandlerContext) {
        isDone = true
        partial = nil
        connection.fail(code: code, message, on: context.channel)
    }
}

/// Checks text on the way of a tick: nearly all of it is ASCII, and that costs a word at a time.
enum UTF8Text {
    static func isValid(_ view: ByteBufferView) -> Bool {
        view.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index += 8
            }
            while index < bytes.count, bytes[index] < 0x80 { index += 1 }
            // What begins here is the first letter beyond ASCII, so a sequence starts here and not before.
            let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
            return rest.isEmpty || String(validating: rest, as: UTF8.self) != nil
        }
    }
}
