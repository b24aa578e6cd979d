import Accounts
import Foundation
import Logging
import MarketBus
import MarketData
import NIOCore
import Operations
import PluginHost
import StreamProxy

/// Binding the ports. One left at its default gives way to the next free one, and that is said; one that was asked for
/// is an error that names who holds it.
enum Listening {
    static func bus(
        _ settings: Settings, registry: AdapterRegistry, instruments: InstrumentRegistry, _ logger: Logger,
        invalidated: @escaping @Sendable (_ user: String) -> Void
    ) throws -> SharedPublisher {
        var configuration = BusConfiguration()
        configuration.host = settings.bus.host
        configuration.port = .init(settings.bus.port.number, isExplicit: settings.bus.port.isExplicit)
        configuration.publisher = settings.bus.publisher
        configuration.brokers = registry.brokers
        configuration.exchanges = Set(registry.brokers.flatMap { registry.adapter($0)?.capabilities.exchanges ?? [] })
        configuration.publicUsers = settings.bus.publicUsers
        configuration.events.publicAmbiguous = { broker in
            logger.notice(
                "several users are on \(broker): nothing of it is on the public socket; choose one with bus.public: {\(broker): USER}"
            )
        }
        configuration.events.badExternal = { logger.warning("a publisher has sent \($0)") }
        configuration.events.invalidated = { user in
            logger.info("OpenAlgo says that the tokens of \(user) have changed")
            invalidated(user)
        }
        do {
            let bus = try SharedPublisher(configuration, registry: instruments)
            if bus.didMove {
                logger.notice("port \(settings.bus.port.number) is taken, the bus is on \(bus.endpoint)")
            }
            return bus
        } catch let error as BusExposureError {
            throw StartError(
                "ZMQ_HOST or FEEDHOST_PUBLISHER: \(error.host) can be reached from other machines, and the bus has no authentication yet. Use 127.0.0.1."
            )
        } catch let error as BusBindError {
            let setting =
                error.setting == "ZMQ_PORT" && settings.bus.port.isExplicit ? settings.bus.port.source : error.setting
            throw taken(setting, error.host, error.port, isTaken: error.cause.isAddressInUse, "\(error.cause)")
        }
    }

    static func proxy(
        _ settings: Settings, authenticator: any Authenticator, sessions: SessionPool, bus: SharedPublisher,
        _ logger: Logger
    ) async throws -> ProxyServer {
        let first = settings.proxy.port
        let last = first.isExplicit ? first.number : min(first.number + 100, 65_535)
        for port in first.number...last {
            var configuration = ProxyConfiguration(
                host: settings.proxy.host, port: port, eventLoops: 1, authenticator: authenticator, directory: sessions,
                logger: logger, makePort: { try bus.makePort(shard: $0) })
            configuration.authGrace = TimeAmount(settings.proxy.authGrace)
            // Without pings no pong can be late.
            configuration.pingInterval = settings.proxy.pingInterval.map { TimeAmount($0) } ?? .hours(24 * 365)
            configuration.pingTimeout = TimeAmount(settings.proxy.pingTimeout)
            configuration.maxPendingRequests = settings.proxy.maxQueue
            let proxy = ProxyServer(configuration)
            do {
                try await proxy.start()
                if port != first.number, first.number != 0 {
                    logger.notice("port \(first.number) is taken, clients connect to \(proxy.port)")
                }
                return proxy
            } catch let error as ProxyStartError {
                await proxy.stop()
                if error.code == .addressInUse, port < last { continue }
                throw taken(
                    first.isExplicit ? first.source : "WEBSOCKET_PORT", error.host, error.port,
                    isTaken: error.code == .addressInUse, "\(error.cause)")
            }
        }
        throw StartError("No port from \(first.number) to \(last) is free on \(settings.proxy.host).")
    }

    private static func taken(_ setting: String, _ host: String, _ port: Int, isTaken: Bool, _ cause: String)
        -> StartError
    {
        guard isTaken else { return StartError("\(setting): cannot listen on \(host):\(port): \(cause).") }
        let holder = PortHolder.name(port: port).map { "\($0) holds it" } ?? "another process holds it"
        return StartError(
            "\(setting): port \(port) on \(host) is taken: \(holder). Stop it, or choose another port (0 picks a free one)."
        )
    }
}
