import CFeedhostABI
import MarketData
import NIOCore
import Secrets

/// Asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6), and leaves the pipeline when it stands. Confined to its event
/// loop.
final class ProxyTunnel: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of the proxy's answer.
    private static let longest = 65_536

    private let proxy: ProxyAddress
    private let url: TransportURL
    private let timeout: TimeAmount
    private var promise: EventLoopPromise<Void>?
    private var answer = ByteBuffer()
    private var limit: Scheduled<Void>?

    /// - Parameter promise: Fails with a ``TransportFailure`` that names the proxy.
    init(_ proxy: ProxyAddress, to url: TransportURL, within timeout: TimeAmount, promise: EventLoopPromise<Void>) {
        self.proxy = proxy
        self.url = url
        self.timeout = timeout
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard context.channel.isActive else {
            return fail(FH_E_NETWORK, "hangs up instead of opening a tunnel", context)
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        limit = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.fail(FH_E_TIMEOUT, "does not answer in time", bound.value)
        }
        var head = "CONNECT \(url.authority) HTTP/1.1\r\nHost: \(url.authority)\r\n"
        if let authorization = proxy.authorization { head += "Proxy-Authorization: \(authorization.revealed)\r\n" }
        head += "\r\n"
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard promise != nil else { return }
        answer.writeImmutableBuffer(Self.unwrapInboundIn(data))
        guard answer.readableBytes <= Self.longest else { return fail(FH_E_NETWORK, "answers with too much", context) }
        let bytes = Array(answer.readableBytesView)
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let line = String(decoding: bytes.prefix { $0 != 0x0D }, as: UTF8.self).split(separator: " ")
        guard line.count >= 2, line[0].hasPrefix("HTTP/1."), let status = Int(line[1]) else {
            return fail(FH_E_NETWORK, "answers with something that is not HTTP", context)
        }
        guard (200..<300).contains(status) else { return refused(status, context) }
        // Nobody at the other end speaks before we do.
        guard end.upperBound == bytes.count else { return fail(FH_E_NETWORK, "sends more than its answer", context) }
        limit?.cancel()
        let promise = self.promise
        self.promise = nil
        context.pipeline.syncOperations.removeHandler(self).whenComplete { _ in promise?.succeed() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(FH_E_NETWORK, "hangs up instead of opening a tunnel", context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(FH_E_NETWORK, "hangs up instead of opening a tunnel: \(Dialer.reason(error))", context)
    }

    private func refused(_ status: Int, _ context: ChannelHandlerContext) {
        switch status {
        case 407 where proxy.authorization != nil:
            fail(FH_E_NETWORK, "refuses its user name or password (HTTP 407)", context)
        case 407:
            fail(
                FH_E_NETWORK, "wants a user name and a password (HTTP 407): http://USER:PASSWORD@HOST:PORT", context)
        case 502, 503, 504: fail(FH_E_NETWORK, "cannot reach it (HTTP \(status))", context)
        default: fail(FH_E_NETWORK, "refuses to connect to it (HTTP \(status))", context)
        }
    }

    private func fail(_ status: Int, _ message: String, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        self.promise = nil
        limit?.cancel()
        promise.fail(TransportFailure(status, "\(url): the proxy \(proxy) \(message)"))
        context.close(promise: nil)
    }
}
