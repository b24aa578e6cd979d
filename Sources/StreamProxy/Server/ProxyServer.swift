import MarketData
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The WebSocket server that clients of OpenAlgo connect to.
///
/// ```swift
/// let proxy = ProxyServer(ProxyConfiguration(
///     port: 0, authenticator: accounts, directory: sessions, logger: logger,
///     makePort: { shard in try bus.makePort(shard: shard) }))
/// try await proxy.start()
/// print("ws://127.0.0.1:\(proxy.port)")
/// // … until SIGTERM:
/// await proxy.stop()
/// ```
public final class ProxyServer: Sendable {
    private struct Running {
        var group: MultiThreadedEventLoopGroup
        var listener: (any Channel)?
        var shards: [RunningShard] = []
    }

    private struct RunningShard {
        let shard: NIOLoopBound<Shard>
        let pipe: WakePipe
    }

    /// What the proxy has done so far; any time, any thread.
    public let counters = ProxyCounters()

    private let configuration: ProxyConfiguration
    private let running = Mutex<Running?>(nil)

    public init(_ configuration: ProxyConfiguration) { self.configuration = configuration }

    /// The port that clients connect to; 0 while the proxy does not listen.
    public var port: Int { running.withLock { $0?.listener?.localAddress?.port } ?? 0 }

    /// Returns when clients can connect.
    /// - Throws: ``ProxyStartError``; nothing is left open then.
    public func start() async throws {
        var state = Running(group: MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops)))
        do {
            for (index, loop) in state.group.makeIterator().enumerated() {
                state.shards.append(try await startShard(UInt8(clamping: index), on: loop))
            }
            state.listener = try await listen(state)
        } catch {
            await end(state)
            throw startError(error)
        }
        let result = state
        running.withLock { $0 = result }
    }

    /// Stops accepting, sends every client 1001, and returns when all have answered or been given time enough, their
    /// sessions are given back, and sockets and threads are released.
    public func stop() async {
        guard let state = running.withLock({ $0.take() }) else { return }
        try? await state.listener?.close().get()
        for running in state.shards {
            let shard = running.shard
            shard.eventLoop.execute { _ = shard.value.drain() }
        }
        for running in state.shards {
            let shard = running.shard
            try? await shard.eventLoop.flatSubmit { shard.value.drain() }.get()
        }
        await end(state)
    }

    /// Closes the clients whom a change in the store concerns. Any thread; returns at once.
    public func apply(_ change: AccountChange) {
        for shard in running.withLock({ $0?.shards.map(\.shard) ?? [] }) {
            shard.eventLoop.execute { shard.value.apply(change) }
        }
    }

    private func startShard(_ index: UInt8, on loop: any EventLoop) async throws -> RunningShard {
        let (configuration, counters) = (configuration, counters)
        let shard = try await loop.submit {
            try NIOLoopBound(
                Shard(
                    loop: loop, port: try configuration.makePort(index), configuration: configuration,
                    counters: counters), eventLoop: loop)
        }.get()
        do {
            let pipe = try await WakePipe.open(on: loop) { shard.value.drainBus() }
            do {
                try await loop.submit { try shard.value.listen { pipe.signal() } }.get()
            } catch {
                await pipe.close()
                throw error
            }
            let interval = configuration.sweepInterval
            loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in shard.value.sweep() }
            return RunningShard(shard: shard, pipe: pipe)
        } catch {
            try? await loop.submit { shard.value.end() }.get()
            throw error
        }
    }

    private func listen(_ state: Running) async throws -> any Channel {
        let shards = Dictionary(
            uniqueKeysWithValues: state.shards.map { (ObjectIdentifier($0.shard.eventLoop), $0.shard) })
        var bootstrap = ServerBootstrap(group: state.group)
            .serverChannelOption(.backlog, value: 1024)
            // Never SO_REUSEPORT: OpenAlgo's own proxy sets it, and two of them would share the port
            // (drop-in.md section 2).
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A channel keeps one receive buffer; requests are short, and this is most of an idle connection.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let shard = shards[ObjectIdentifier(channel.eventLoop)] else { throw ChannelError.eof }
                    try HandshakeHandler.start(on: channel, shard: shard.value)
                }
            }
        if let size = configuration.socketSendBuffer {
            bootstrap = bootstrap.childChannelOption(
                .socketOption(.so_sndbuf), value: .init(clamping: size))
        }
        return try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
    }

    private func end(_ state: Running) async {
        for running in state.shards {
            let shard = running.shard
            try? await shard.eventLoop.submit { shard.value.end() }.get()
            await running.pipe.close()
        }
        try? await state.group.shutdownGracefully()
    }

    private func startError(_ error: any Error) -> ProxyStartError {
        let code: ProxyStartError.Code =
            switch error {
            case let error as IOError where error.errnoCode == EADDRINUSE: .addressInUse
            case let error as IOError where error.errnoCode == EACCES: .notPermitted
            case is IOError, is SocketAddressError, is NIOConnectionError: .cannotListen
            default: .bus
            }
        return ProxyStartError(code: code, host: configuration.host, port: configuration.port, cause: error)
    }
}
