import Accounts
import Adapters
import Foundation
import Logging
import MarketBus
import MarketData
import NIOCore
import Operations
import Sessions
import StreamProxy

/// Binding the ports. One left at its default gives way to the next free one, and that is said; one that was asked for
/// is an error that names who holds it.
enum Listening {
    static func bus(
        _ settings: Settings, registry: AdapterRegistry, instruments: InstrumentHandles, _ logger: Logger,
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
        configuration.curve = try BusKeys.curve(settings.bus)
        BusKeys.say(&configuration.events, logger)
        configuration.events.absent = { logger.notice("the bus: \($0)") }
        configuration.events.badExternal = { logger.warning("a publisher has sent \($0)") }
        configuration.events.invalidated = invalidated
        do {
            let bus = try SharedPublisher(configuration, instruments: instruments)
            if bus.didMove {
                logger.notice("port \(settings.bus.port.number) is taken, the bus is on \(bus.endpoint)")
            }
            return bus
        } catch let error as BusHostError {
            throw StartError("\(error.setting): \(error.cause).")
        } catch let error as BusExposureError {
            throw StartError(
                "ZMQ_HOST or FEEDHOST_PUBLISHER: \(error.host) can be reached from other machines, and whoever reaches the bus can feed clients. Use 127.0.0.1, or demand keys with bus.curve.certificate and bus.curve.clients."
            )
        } catch let error as BusCurveError {
            throw StartError("bus.curve.certificate: \(error).")
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
                host: settings.proxy.host, port: port, eventLoops: settings.clients.eventLoops,
                authenticator: authenticator, directory: sessions, logger: logger, makeReader: { bus.makeReader($0) }
            )
            configuration.authGrace = TimeAmount(settings.proxy.authGrace)
            // Without pings no pong can be late.
            configuration.pingInterval = settings.proxy.pingInterval.map { TimeAmount($0) } ?? .hours(24 * 365)
            configuration.pingTimeout = TimeAmount(settings.proxy.pingTimeout)
            configuration.maxPendingRequests = settings.proxy.maxQueue
            configuration.coalesces = settings.clients.coalesces
            configuration.listeners = settings.clients.listeners
            configuration.tls = settings.clients.tls
            configuration.origins = settings.clients.origins
            configuration.trustedProxies = settings.clients.trustedProxies
            configuration.limits = settings.clients.limits
            let proxy = ProxyServer(configuration)
            do {
                try await proxy.start()
                if port != first.number, first.number != 0 {
                    logger.notice("port \(first.number) is taken, clients connect to \(proxy.port)")
                }
                for address in proxy.exposed {
                    logger.warning(
                        "\(address) can be reached from other machines, and what is sent there, API keys too, can be read on the way; use wss:// (tls.certificate), or a reverse proxy with TLS"
                    )
                }
                return proxy
            } catch let error as ProxyStartError {
                await proxy.stop()
                if error.code == .addressInUse, error.isMain, port < last { continue }
                throw failure(error, settings)
            }
        }
        throw StartError("No port from \(first.number) to \(last) is free on \(settings.proxy.host).")
    }

    private static func failure(_ error: ProxyStartError, _ settings: Settings) -> StartError {
        let main = settings.proxy.port.isExplicit ? settings.proxy.port.source : "WEBSOCKET_PORT"
        let setting = error.isMain ? main : settings.origins["proxy.listen"] ?? "proxy.listen"
        if error.code == .certificate {
            let files = ["tls.certificate", "tls.key"].compactMap { settings.origins[$0] }.joined(separator: " and ")
            return StartError("\(files): \(error.cause).")
        }
        guard case .tcp(let host, let port) = error.address.place else {
            let holder =
                if case .unix(let path, _) = error.address.place { PortHolder.name(unixSocket: path) } else {
                    nil as String?
                }
            guard error.code == .addressInUse, let holder else {
                return StartError("\(setting): cannot listen on \(error.address): \(error.cause).")
            }
            return StartError(
                "\(setting): \(error.address) is taken: \(holder) holds it. Stop it, or choose another path.")
        }
        return taken(setting, host, port, isTaken: error.code == .addressInUse, "\(error.cause)")
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
