import Glibc
import Logging
import MarketData
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The WebSocket server that clients of OpenAlgo connect to.
///
/// ```swift
/// let proxy = ProxyServer(ProxyConfiguration(
///     port: 0, authenticator: accounts, directory: sessions, logger: logger,
///     makeReader: { shard in bus.makeReader(shard) }))
/// try await proxy.start()
/// print("ws://127.0.0.1:\(proxy.port)")
/// // … until SIGTERM:
/// await proxy.stop()
/// ```
public final class ProxyServer: Sendable {
    private struct Running {
        var group: MultiThreadedEventLoopGroup
        /// The main one first.
        var listeners: [Listener] = []
        var shards: [RunningShard] = []
        var certificate: CertificateWatch?
        /// Looks after the TLS certificate.
        var watch: Task<Void, Never>?
    }

    private struct RunningShard {
        let shard: NIOLoopBound<Shard>
        let pipe: WakePipe
    }

    /// What the proxy has done so far; any time, any thread.
    public let counters = ProxyCounters()

    private let configuration: ProxyConfiguration
    private let admission: Admission
    private let spare: SpareDescriptors
    private let running = Mutex<Running?>(nil)

    public init(_ configuration: ProxyConfiguration) {
        self.configuration = configuration
        admission = Admission(configuration.limits)
        spare = SpareDescriptors(counters, configuration.logger)
    }

    /// The port that clients connect to; 0 while the proxy does not listen.
    public var port: Int {
        guard case .tcp(_, let port) = listeners.first?.place else { return 0 }
        return port
    }

    /// Where clients connect, the main listener first, with the ports that the system has picked; empty while the proxy
    /// does not listen.
    public var listeners: [ListenerAddress] { running.withLock { $0?.listeners.map(\.address) } ?? [] }

    /// Those of ``listeners`` that other machines can reach and that are without TLS.
    public var exposed: [ListenerAddress] {
        running.withLock { $0?.listeners.filter(\.isExposed).map(\.address) } ?? []
    }

    /// Looks at the files of the TLS certificate now instead of within a second. Any thread; blocks for as long as the disk does.
    /// - Returns: False when there is no listener with TLS.
    public func renewCertificate() -> Bool {
        guard let certificate = running.withLock({ $0?.certificate }) else { return false }
        certificate.look()
        return true
    }

    /// Returns when clients can connect.
    /// - Throws: ``ProxyStartError``; nothing is left open then.
    public func start() async throws {
        var state = Running(group: MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops)))
        do {
            let certificate = try readCertificate()
            for (index, loop) in state.group.makeIterator().enumerated() {
                state.shards.append(try await startShard(UInt8(clamping: index), on: loop))
            }
            let main = ListenerAddress(
                host: configuration.host, port: configuration.port, coalesces: configuration.coalesces)
            for address in [main] + configuration.listeners {
                let listener = try await Listener.open(address, bootstrap(state, address.entrance, certificate))
                state.listeners.append(listener)
                say(listener)
            }
            state.certificate = certificate
            state.watch = certificate.map { certificate in Task { await certificate.run() } }
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
        for listener in state.listeners { await listener.close() }
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

    /// Tells the clients of a session what has become of it. Any thread; returns at once.
    public func announce(_ event: SessionEvent) {
        for shard in running.withLock({ $0?.shards.map(\.shard) ?? [] }) {
            shard.eventLoop.execute { shard.value.announce(event) }
        }
    }

    /// A name may lead to more, and to less, than whoever wrote it down knows.
    private func say(_ listener: Listener) {
        let places = listener.places.joined(separator: " and ")
        for (address, why) in listener.absent.sorted(by: { $0.key < $1.key }) {
            configuration.logger.notice(
                "\(listener.address): this machine does not have \(address) (\(why)); clients are served at \(places)")
        }
        if listener.places.count > 1 { configuration.logger.info("\(listener.address): listening at \(places)") }
    }

    private func startShard(_ index: UInt8, on loop: any EventLoop) async throws -> RunningShard {
        let (configuration, counters, admission) = (configuration, counters, admission)
        let shard = try await loop.submit {
            try NIOLoopBound(
                Shard(
                    loop: loop, port: try configuration.makeReader(index), configuration: configuration,
                    counters: counters, admission: admission), eventLoop: loop)
        }.get()
        do {
            let pipe = try await WakePipe.open(on: loop) { shard.value.drainBus() }
            do {
                try await loop.submit { shard.value.listen { pipe.signal() } }.get()
            } catch {
                await pipe.close()
                throw error
            }
            try await loop.submit { shard.value.startSweeping() }.get()
            return RunningShard(shard: shard, pipe: pipe)
        } catch {
            try? await loop.submit { shard.value.end() }.get()
            throw error
        }
    }

    /// - Throws: ``ListenFailure``: there is a listener with TLS, but no certificate that can be used.
    private func readCertificate() throws -> CertificateWatch? {
        guard let address = configuration.listeners.first(where: \.isTLS) else { return nil }
        do {
            guard let files = configuration.tls else {
                throw TLSFiles.Unusable(description: "no certificate and key are set")
            }
            return try CertificateWatch(files, counters, configuration.logger)
        } catch {
            throw ListenFailure(address: address, cause: error)
        }
    }

    /// Connections go to the shards in turn.
    private func bootstrap(
        _ state: Running, _ entrance: Entrance, _ certificate: CertificateWatch?
    ) -> ServerBootstrap {
        let shards = Dictionary(
            uniqueKeysWithValues: state.shards.map { (ObjectIdentifier($0.shard.eventLoop), $0.shard) })
        let spare = spare
        let bootstrap = ServerBootstrap(group: state.group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(spare))
                }
            }
            .serverChannelOption(.backlog, value: 1024)
            // A channel keeps one receive buffer; requests are short, and this is most of an idle connection.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let shard = shards[ObjectIdentifier(channel.eventLoop)] else { throw ChannelError.eof }
                    if entrance.isTLS, let certificate {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: certificate.context))
                    }
                    try HandshakeHandler.start(on: channel, shard: shard.value, entrance: entrance)
                }
            }
        guard let size = configuration.socketSendBuffer else { return bootstrap }
        return bootstrap.childChannelOption(.socketOption(.so_sndbuf), value: .init(clamping: size))
    }

    private func end(_ state: Running) async {
        state.watch?.cancel()
        for listener in state.listeners { await listener.close() }
        for running in state.shards {
            let shard = running.shard
            try? await shard.eventLoop.submit { shard.value.end() }.get()
            await running.pipe.close()
        }
        try? await state.group.shutdownGracefully()
    }

    private func startError(_ error: any Error) -> ProxyStartError {
        let failure = error as? ListenFailure
        let main = ListenerAddress(host: configuration.host, port: configuration.port)
        let cause = failure?.cause ?? error
        let code: ProxyStartError.Code =
            switch cause {
            case let error as UnixSocketFile.Occupied: error.isListening ? .addressInUse : .cannotListen
            case is TLSFiles.Unusable: .certificate
            case let error as IOError where error.errnoCode == EADDRINUSE: .addressInUse
            case let error as IOError where error.errnoCode == EACCES: .notPermitted
            case is IOError, is HostAddresses.Unknown, is SocketAddressError, is NIOConnectionError: .cannotListen
            default: failure == nil ? .bus : .cannotListen
            }
        let address = failure?.address ?? main
        return ProxyStartError(code: code, address: address, isMain: address.place == main.place, cause: cause)
    }
}
