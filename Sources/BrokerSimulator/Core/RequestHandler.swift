import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers a connection's HTTP requests, one after another, until one of them becomes a WebSocket.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    /// A body is a login or a fault, never more.
    private static let maxBody = 4 << 20

    private let simulation: Simulation
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var isUpgraded = false

    /// Puts HTTP into a new connection's pipeline.
    static func start(on channel: any Channel, simulation: Simulation) throws {
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        try channel.pipeline.syncOperations.addHandler(decoder)
        try channel.pipeline.syncOperations.addHandler(RequestHandler(simulation: simulation, decoder: decoder))
    }

    private init(simulation: Simulation, decoder: ByteToMessageHandler<HTTPRequestDecoder>) {
        self.simulation = simulation
        self.decoder = decoder
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isUpgraded else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(let part):
            body.writeImmutableBuffer(part)
            if body.readableBytes > Self.maxBody { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            self.head = nil
            let request = PlainRequest(head: head, body: body)
            if head.headers[canonicalForm: "Upgrade"].contains(where: { $0.lowercased() == "websocket" }) {
                upgrade(request, head, context)
            } else {
                write(simulation.answer(request), context, keepAlive: head.isKeepAlive, isHead: head.method == .HEAD)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func upgrade(_ request: PlainRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch simulation.admit(request) {
        case .refuse(let answer, _, _): write(answer, context, keepAlive: false)
        case .accept(let kind, let credentials, let extra):
            let upgrader = NIOWebSocketServerUpgrader(
                shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
                upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
            upgrader.buildUpgradeResponse(
                channel: context.channel, upgradeRequest: head, initialResponseHeaders: HTTPHeaders(extra)
            ).assumeIsolated().whenComplete { [self] result in
                switch result {
                case .success(let headers): accept(request, kind, credentials, headers, context)
                case .failure:
                    write(.text(.badRequest, "This is no WebSocket handshake.\n"), context, keepAlive: false)
                }
            }
        }
    }

    private func accept(
        _ request: PlainRequest, _ kind: String, _ credentials: String, _ headers: HTTPHeaders,
        _ context: ChannelHandlerContext
    ) {
        isUpgraded = true
        writeHead("101 Switching Protocols", headers, body: ByteBuffer(), context)
        let operations = context.pipeline.syncOperations
        do {
            let frames = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 4 << 20))
            try operations.addHandler(frames)
            let connection = simulation.open(request, kind: kind, credentials: credentials, on: context.channel)
            try operations.addHandler(MessageHandler(connection: connection, simulation: simulation))
        } catch {
            return context.close(promise: nil)
        }
        // In this order: the decoder hands the bytes that came after the request to whoever is next.
        operations.removeHandler(self, promise: nil)
        operations.removeHandler(decoder, promise: nil)
    }

    private func write(_ answer: PlainAnswer, _ context: ChannelHandlerContext, keepAlive: Bool, isHead: Bool = false) {
        var headers = HTTPHeaders(answer.headers)
        headers.replaceOrAdd(name: "Content-Length", value: String(answer.body.readableBytes))
        if !keepAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
        let body = isHead ? ByteBuffer() : answer.body
        writeHead("\(answer.status.code) \(answer.status.reasonPhrase)", headers, body: body, context)
        if !keepAlive { context.close(mode: .output, promise: nil) }
    }

    private func writeHead(_ status: String, _ headers: HTTPHeaders, body: ByteBuffer, _ context: ChannelHandlerContext)
    {
        var bytes = ByteBuffer(string: "HTTP/1.1 \(status)\r\n")
        for (name, value) in headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n")
        bytes.writeImmutableBuffer(body)
        context.writeAndFlush(NIOAny(bytes), promise: nil)
    }
}
