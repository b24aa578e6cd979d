import Foundation
import Logging
import MarketBus
import Operations
import PluginHost
import StreamProxy

/// Writes the stats file every 10 seconds, and says in the log when something was dropped.
struct Reporter: Sendable {
    let settings: Settings
    let bus: SharedPublisher
    let sessions: SessionPool
    let proxy: ProxyServer
    let logger: Logger

    func run() async {
        let file = StatsFile(path: settings.stats.path)
        let writes = settings.stats.isExplicit || file.hasFolder
        var isFailing = false
        var said: [String: Int] = [:]
        while !Task.isCancelled {
            let figures = await figures()
            if writes {
                do {
                    try file.write(figures)
                    isFailing = false
                } catch {
                    // Said once: a full disk would otherwise be told to a full disk.
                    if !isFailing {
                        logger.warning(
                            "the stats file \(settings.stats.path) cannot be written: \(error.localizedDescription)")
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
        figures.counters["proxy_slow_closed"] = proxied.slowClosed
        figures.counters["proxy_auth_failures"] = proxied.authFailures
        figures.counters["proxy_bad_requests"] = proxied.badRequests
        for (kind, value) in proxied.protocolErrors { figures.counters["proxy_protocol_error_\(kind)"] = value }
        return figures
    }
}
