import NIOCore
import NIOPosix

/// A broker's server side, listening on a port of this machine.
///
/// ```swift
/// let server = try await SimulatorServer.start(SimulatorOptions(venue: .zerodha))
/// print(server.endpoints.url)  // ws://127.0.0.1:40123/
/// try await server.perform(Fault("drop"))
/// await server.stop()
/// ```
public final class SimulatorServer: Sendable {
    /// Where it listens.
    public let port: Int
    /// What clients need to know.
    public let endpoints: Endpoints
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let simulation: NIOLoopBound<Simulation>

    private init(
        group: MultiThreadedEventLoopGroup, listener: any Channel, simulation: NIOLoopBound<Simulation>,
        address: ServerAddress, endpoints: Endpoints
    ) {
        self.group = group
        self.listener = listener
        self.simulation = simulation
        self.endpoints = endpoints
        port = address.port
    }

    /// Returns when it listens.
    /// - Throws: ``SimulatorError`` when it cannot listen, or the recording cannot be written.
    public static func start(_ options: SimulatorOptions) async throws -> SimulatorServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do {
            let simulation = try await loop.submit {
                NIOLoopBound(try Simulation(options, on: loop), eventLoop: loop)
            }.get()
            let listener = try await listen(group, options, simulation)
            let address = ServerAddress(host: options.host, port: listener.localAddress?.port ?? options.port)
            let endpoints = try await loop.submit {
                simulation.value.start()
                return simulation.value.venue.endpoints(at: address)
            }.get()
            return SimulatorServer(
                group: group, listener: listener, simulation: simulation, address: address, endpoints: endpoints)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func listen(
        _ group: MultiThreadedEventLoopGroup, _ options: SimulatorOptions, _ simulation: NIOLoopBound<Simulation>
    ) async throws -> any Channel {
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // A client counts as slow when this much waits for it.
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try RequestHandler.start(on: channel, simulation: simulation.value)
                    }
                }
                .bind(host: options.host, port: options.port).get()
        } catch {
            throw SimulatorError(
                "Cannot listen on \(options.host):\(options.port) (\(error)): choose another port, or 0 for any.")
        }
    }

    /// Performs a fault, as `POST /_sim/<fault>` does.
    /// - Throws: ``SimulatorError`` when the body lacks something or names nothing.
    public func perform(_ fault: Fault) async throws {
        let simulation = simulation
        try await simulation.eventLoop.submit { _ = try simulation.value.perform(fault) }.get()
    }

    /// Drops all connections and returns when the port is free.
    public func stop() async {
        let simulation = simulation
        try? await listener.close().get()
        try? await simulation.eventLoop.submit { simulation.value.end() }.get()
        try? await group.shutdownGracefully()
    }
}
