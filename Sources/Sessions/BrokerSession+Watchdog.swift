import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore

/// Reconnects a link that is silent for longer than its broker ever is.
extension BrokerSession {
    func startWatchdog() {
        guard watchdog == nil else { return }
        watchdog = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [weak self] _ in
            self?.assumeIsolated { $0.checkSilence() }
        }
    }

    private func checkSilence() {
        let timings = adapter.capabilities.timings
        let limit = MarketHours.areOpen(at: WallClock.now()) ? timings.dataSilence : timings.offHoursSilence
        let now = NIODeadline.now()
        for link in orderedLinks where isConnected(link) {
            let isSilenceOdd = pool.count(on: link.index) > 0 || link.bringsOrders
            let silence = link.silence.look(at: now, heard: link.instance?.heard ?? 0, isSilenceOdd: isSilenceOdd)
            guard isSilenceOdd else { continue }
            warnOfSilence(link, UInt64(silence))
            guard let limit, silence > limit else { continue }
            link.instance?.disconnect(generation: generation(of: link))
            retry(
                link,
                after: ConnectionEvent(
                    state: Int(FH_CONN_DISCONNECTED), reason: Int(FH_WHY_NETWORK), generation: generation(of: link),
                    message: "no data for \(silence) ms", isWhole: true, silence: silence))
        }
    }

    /// Says once for each silence that a link with subscriptions brings nothing (`WS_STALE_TICK_WARN_SECONDS`).
    private func warnOfSilence(_ link: BrokerLink, _ silence: UInt64) {
        let count = pool.count(on: link.index)
        guard let limit = environment.limits.staleTickWarning, count > 0 else { return }
        let isSilent = silence > UInt64(limit.components.seconds) * 1_000
        if isSilent, !link.isKnownSilent {
            logger.warning("no tick for \(silence / 1_000) s on a connection with \(count) instruments")
        }
        link.isKnownSilent = isSilent
    }
}
