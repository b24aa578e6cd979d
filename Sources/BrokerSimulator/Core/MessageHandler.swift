import NIOCore
import NIOWebSocket

/// Turns a client's frames into whole messages for the venue, and answers what WebSocket itself wants answered.
final class MessageHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    private let connection: VenueConnection
    private let simulation: Simulation
    /// A message whose last fragment has not come.
    private var partial: (isText: Bool, bytes: ByteBuffer)?

    init(connection: VenueConnection, simulation: Simulation) {
        self.connection = connection
        self.simulation = simulation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard connection.isOpen else { return closing(Self.unwrapInboundIn(data), context) }
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: take(frame, isText: frame.opcode == .text)
        case .continuation:
            guard var message = partial else { return connection.close(code: 1_002) }
            partial = nil
            var rest = frame.unmaskedData
            message.bytes.writeBuffer(&rest)
            deliver(message.bytes, isText: message.isText, isWhole: frame.fin)
        case .ping:
            connection.heard(\.pings)
            connection.send(.pong, frame.unmaskedData, as: .pong)
            simulation.venue.pinged(frame.unmaskedData, on: connection)
        case .pong: connection.heard(\.pongs)
        case .connectionClose:
            var payload = frame.unmaskedData
            connection.close(code: payload.readInteger() ?? 1_000)
            context.close(promise: nil)
        default: connection.close(code: 1_002)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOWebSocketError { connection.close(code: 1_002) } else { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        simulation.closed(connection)
        context.fireChannelInactive()
    }

    /// The answer to a close frame of ours ends it.
    private func closing(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        if frame.opcode == .connectionClose { context.close(promise: nil) }
    }

    private func take(_ frame: WebSocketFrame, isText: Bool) {
        guard partial == nil else { return connection.close(code: 1_002) }
        deliver(frame.unmaskedData, isText: isText, isWhole: frame.fin)
    }

    private func deliver(_ bytes: ByteBuffer, isText: Bool, isWhole: Bool) {
        guard isWhole else {
            partial = (isText, bytes)
            return
        }
        connection.heard(\.messages)
        simulation.venue.received(bytes, isText: isText, on: connection)
    }
}
