import Logging
import MarketData
import NIOCore
import NIOEmbedded
import Testing

@testable import StreamProxy

/// One shard and one client without sockets and threads, on a clock that the test turns.
final class Bench {
    let loop = EmbeddedEventLoop()
    let bus = BusDouble()
    let counters = ProxyCounters()
    let shard: Shard
    let client: Client
    let channel: EmbeddedChannel
    let stall = StallingHandler()

    init(deflates: Bool = false, _ change: (inout ProxyConfiguration) -> Void = { _ in }) throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let directory = DirectoryDouble()
        let bus = bus
        var configuration = ProxyConfiguration(
            port: 0, authenticator: directory, directory: directory, logger: logger,
            makeReader: { _ in bus.makeReader() })
        change(&configuration)
        shard = try Shard(loop: loop, port: bus.makeReader(), configuration: configuration, counters: counters)
        shard.listen {}
        client = Client(shard: shard, deflates: deflates)
        channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers([stall, client])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    /// Lets the clock run, looking at the deadlines as often as the shard does.
    func advance(seconds: Double) {
        for _ in 0..<Int(seconds * 4) {
            loop.advanceTime(by: .milliseconds(250))
            shard.sweepPart(of: 1)
        }
    }

    func receive(_ frame: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: frame)) }

    func resume() throws { stall.resume(context: try channel.pipeline.syncOperations.context(handler: stall)) }

    /// Everything that has left since the last call, cut into frames.
    func sent() throws -> [WireClient.Frame] {
        var bytes = ByteBuffer()
        while let more = try channel.readOutbound(as: ByteBuffer.self) { bytes.writeImmutableBuffer(more) }
        return Inbox.frames(in: bytes)
    }

    /// The same, with the frames of each write by themselves.
    func writes() throws -> [[WireClient.Frame]] {
        var writes: [[WireClient.Frame]] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { writes.append(Inbox.frames(in: bytes)) }
        return writes
    }

    func join(_ symbol: String, _ mode: Mode = .ltp) -> RouteKey {
        let route = RouteKey(session: 1, instrument: UInt32(symbol.utf8.reduce(0) { $0 * 31 + UInt32($1) }), mode: mode)
        let subscription = shard.routes.join(
            StreamKey(route: route, symbol: symbol), exchange: "NSE", broker: "b", outbox: client.outbox)
        shard.routes.appendLastValue(of: subscription)
        client.outbox.flush()
        shard.routes.settle()
        return route
    }

    func publish(_ messages: [(RouteKey, String)]) {
        bus.publish(messages.map { .data($0.0, snapshot: false, $0.1) })
        shard.drainBus()
    }
}
