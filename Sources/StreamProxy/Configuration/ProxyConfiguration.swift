import Logging
import MarketBus
import MarketData
import NIOCore

/// How the proxy listens, whom it asks, and what it puts up with.
public struct ProxyConfiguration: Sendable {
    public var host: String
    /// 0 lets the system pick one; ``ProxyServer/port`` tells which.
    public var port: Int
    /// One loop, one shard, one end of the inner bus each.
    public var eventLoops: Int

    /// Checks API keys.
    public var authenticator: any Authenticator
    /// Finds users' sessions.
    public var directory: any SessionDirectory
    /// Makes a shard's end of the inner bus; called once for each shard.
    public var makeReader: @Sendable (_ shardIndex: UInt8) throws -> any BusReader
    public var logger: Logger

    /// How long the HTTP handshake may take.
    public var handshakeTimeout: TimeAmount = .seconds(10)
    /// How long a client may stay without a valid key (`WS_AUTH_GRACE_SECONDS`).
    public var authGrace: TimeAmount = .seconds(15)
    /// Within which a key is answered, from the time that the request has come. The Python, Java and .NET SDKs give up after
    /// 5 s.
    public var authAnswer: TimeAmount = .milliseconds(4_500)
    /// Within which any other request is answered, if it has not waited for others of the connection that took as long.
    /// OpenAlgo's own client gives up after 10 s.
    public var answer: TimeAmount = .seconds(7)
    /// `WS_PING_INTERVAL`.
    public var pingInterval: TimeAmount = .seconds(20)
    /// `WS_PING_TIMEOUT`.
    public var pingTimeout: TimeAmount = .seconds(20)
    /// How long the other side may take to answer a close frame.
    public var closeTimeout: TimeAmount = .seconds(2)
    /// How often deadlines are looked at; there is one timer a shard, none a client.
    public var sweepInterval: TimeAmount = .milliseconds(500)

    /// The time by which keys expire, in milliseconds since 1970, UTC; any thread.
    var clock: @Sendable () -> Int64 = { Int64(WallClock.milliseconds) }

    /// Bytes of a request, after joining its fragments and inflating.
    public var maxMessage = 1 << 20
    /// Requests of one connection that may wait; more are left in the socket.
    public var maxPendingRequests = 256
    /// Acknowledgements and order updates that a client may leave unread, in bytes.
    public var maxQueuedControl = 4 << 20
    /// Bytes of the windows of clients that compress with what they have sent before, all together; a client has 32 KiB, or 4
    /// if it can do with less. Beyond it clients are told to compress each message by itself.
    public var maxWindows = 64 << 20
    /// How long a client may take nothing while something is waiting for it.
    public var slowTimeout: TimeAmount = .seconds(30)
    /// Whether several messages may leave in one write. Without it each frame is a write, and so a TCP segment, of its own:
    /// some clients read one frame a packet (AmiBroker's plugin, client-protocol.md section 8).
    /// Of the main listener.
    public var coalesces = true
    /// Where else clients connect.
    public var listeners: [ListenerAddress] = []
    /// For the listeners with TLS.
    public var tls: TLSFiles?
    /// Web pages that may connect; empty for all of them.
    public var origins: [OriginRule] = []
    /// Reverse proxies whose `X-Forwarded-For` counts; those that come by a Unix socket are always trusted.
    public var trustedProxies: [AddressRange] = []
    public var limits = ProxyLimits()
    /// `SO_SNDBUF` of client sockets; nil leaves it to the kernel.
    public var socketSendBuffer: Int?

    public init(
        host: String = "127.0.0.1", port: Int = 8765, eventLoops: Int = 1, authenticator: any Authenticator,
        directory: any SessionDirectory, logger: Logger,
        makeReader: @escaping @Sendable (_ shardIndex: UInt8) throws -> any BusReader
    ) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.authenticator = authenticator
        self.directory = directory
        self.logger = logger
        self.makeReader = makeReader
    }
}
