import Foundation
import Logging
import MarketBus
import Operations
import Sessions
import StreamProxy

/// Writes the stats file every 10 seconds, and says in the log when something was dropped.
struct Reporter: Sendable {
    let settings: Settings
    let bus: SharedPublisher
    let sessions: SessionPool
    let proxy: ProxyServer
    let logger: Logger

    /// Runs both watches until the task is cancelled.
    func run() async {
        async let adapters: Void = watchAdapters()
        await report()
        await adapters
    }

    /// Names an adapter that does not come back from a call: its broker's sessions stand still until it does.
    private func watchAdapters() async {
        var named: Set<String> = []
        while !Task.isCancelled {
            let stuck = await sessions.stuckAdapters()
            for (broker, time) in stuck where named.insert(broker).inserted {
                logger.error(
                    "the adapter for \(broker) has not come back from a call for \(time) ms; its sessions stand still, others do not"
                )
            }
            named.formIntersection(stuck.keys)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func report() async {
        let file = StatsFile(path: settings.stats.path)
        let writes = settings.stats.isExplicit || file.hasFolder
        var isFailing = false
        var said: [String: Int] = [:]
        var memory = MemoryReturn()
        while !Task.isCancelled {
            let figures = await figures()
            memory.look(size: figures.clients + figures.streams)
            if writes {
                do {
                    try file.write(figures)
                    isFailing = false
                } catch {
                    // Said once: a full disk would otherwise be told to a full disk.
                    if !isFailing {
                        logger.warning("the stats file \(settings.stats.path) \(error)")
                    }
                    isFailing = true
                }
            }
            for (name, value) in figures.losses where said[name, default: 0] != value {
                logger.notice("\(name): \(value - said[name, default: 0]) more, \(value) since the start")
                said[name] = value
            }
            try? await Task.sleep(for: .seconds(10))
        }
    }

    private func figures() async -> Figures {
        var figures = Figures()
        let proxied = proxy.counters.snapshot()
        let (count, brokers) = await sessions.figures()
        figures.clients = proxied.clients
        figures.sessions = count
        figures.streams = proxied.routes
        figures.brokers = brokers.keys.sorted()
        for (name, value) in bus.counters.snapshot { figures.counters[name] = value }
        for (broker, values) in brokers {
            for (name, value) in values { figures.counters["\(name)_\(broker)"] = value }
        }
        figures.counters["proxy_clients"] = proxied.clients
        figures.counters["proxy_authenticated"] = proxied.authenticated
        figures.counters["proxy_messages_in"] = proxied.messagesIn
        figures.counters["proxy_messages_out"] = proxied.messagesOut
        figures.counters["proxy_bytes_out"] = proxied.bytesOut
        figures.counters["proxy_conflated"] = proxied.conflated
        figures.counters["proxy_slow_notices"] = proxied.slowNotices
        figures.counters["proxy_slow_closed"] = proxied.slowClosed
        figures.counters["proxy_auth_failures"] = proxied.authFailures
        figures.counters["proxy_bad_requests"] = proxied.badRequests
        figures.counters["proxy_limited_address"] = proxied.addressesLimited
        figures.counters["proxy_limited_unauthenticated"] = proxied.unauthenticatedLimited
        figures.counters["proxy_limited_user"] = proxied.userConnectionsLimited
        figures.counters["proxy_limited_authentications"] = proxied.authenticationsLimited
        figures.counters["proxy_limited_requests"] = proxied.requestsLimited
        figures.counters["proxy_limited_subscriptions"] = proxied.subscriptionsLimited
        figures.counters["proxy_limited_instruments"] = proxied.instrumentsLimited
        figures.counters["proxy_refused_origins"] = proxied.originsRefused
        figures.counters["proxy_tls_failures"] = proxied.tlsFailures
        figures.counters["proxy_tls_certificate_loads"] = proxied.certificateLoads
        figures.counters["proxy_accept_pauses"] = proxied.acceptPauses
        figures.counters["proxy_deflate_windows"] = proxied.windows
        figures.counters["proxy_deflate_windows_declined"] = proxied.windowsDeclined
        for (kind, value) in proxied.protocolErrors { figures.counters["proxy_protocol_error_\(kind)"] = value }
        return figures
    }
}
