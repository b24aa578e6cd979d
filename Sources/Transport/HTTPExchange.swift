import NIOCore
import NIOHTTP1

/// One HTTP/1.1 request, ready to be sent on a connection of its own. Who reads the answer is a channel handler.
struct HTTPExchange: Sendable {
    let url: TransportURL
    let isPost: Bool
    private let headers: HTTPHeaders
    private let body: ByteBuffer

    /// - Parameters:
    ///   - body: Of a POST; nil makes it a GET.
    ///   - encodings: That the reader can undo, or leaves to somebody who can.
    ///   - agent: What the request calls itself, unless the fields do.
    /// - Throws: `FH_E_INVALID` for a header field that cannot be used.
    init(
        _ url: TransportURL, fields: [HeaderField], body: ByteBuffer?, encodings: String, agent: String? = nil
    ) throws(TransportFailure) {
        var headers = try HeaderRules.headers(fields, url: url)
        if let agent, !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: agent) }
        headers.add(name: "Connection", value: "close")
        headers.add(name: "Accept-Encoding", value: encodings)
        if let body { headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
        self.url = url
        self.headers = headers
        self.body = body ?? ByteBuffer()
        isPost = body != nil
    }

    /// Sends it. On the channel's event loop.
    /// - Parameters:
    ///   - watch: Sees the bytes before they are read as HTTP.
    ///   - reader: Gets the parts of the answer.
    func send(
        on channel: any Channel, by dialer: Dialer, watch: (any ChannelHandler)? = nil, reader: any ChannelHandler
    ) throws {
        try dialer.secure(channel, for: url)
        let pipeline = channel.pipeline.syncOperations
        if let watch { try pipeline.addHandler(watch) }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(reader)
        let head = HTTPRequestHead(
            version: .http1_1, method: isPost ? .POST : .GET, uri: url.target, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if body.readableBytes > 0 { channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}
