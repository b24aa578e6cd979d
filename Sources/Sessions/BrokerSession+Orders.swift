import Adapters
import CFeedhostABI
import Logging
import MarketData
import Synchronization

/// Order updates: brought by one connection of the user, for as long as a client wants them.
extension BrokerSession {
    nonisolated func startOrders() async throws {
        guard !isClosed.load(ordering: .acquiring) else { throw BrokerSession.over }
        guard adapter.capabilities.orderKind != nil else {
            throw FeedError(.broker, "\(broker) has no order stream: its adapter brings market data only")
        }
        await withDeadline(BrokerSession.slack, orElse: ()) { await self.changeOrderReferences(by: 1) }
    }

    /// Order does not matter to counted references, so what comes after the deadline is as good as what comes before.
    nonisolated func stopOrders() async {
        guard !isClosed.load(ordering: .acquiring) else { return }
        await withDeadline(BrokerSession.slack, orElse: ()) { await self.changeOrderReferences(by: -1) }
    }

    private func changeOrderReferences(by change: Int) {
        orderReferences += change
        if change > 0 { for link in links.values { link.hasRefusedOrders = false } }
        alignOrders()
        watchSurplus()
        reviewOutage()
    }

    /// Brings the order stream in step with what is wanted: it runs on one ready connection, on another if that goes, and
    /// nowhere when nobody wants it.
    func alignOrders() {
        guard !isEnded else { return }
        guard orderReferences > 0 else {
            for link in links.values where link.bringsOrders {
                link.ordersRequest = nil
                link.instance?.stopOrders()
            }
            return
        }
        guard !links.values.contains(where: \.bringsOrders) else { return }
        let carriers = pool.inOrderOfPreference(where: \.kind.carriesOrders).compactMap { links[$0] }
        if let link = carriers.first(where: { isConnected($0) && !$0.hasRefusedOrders }) {
            nextRequest += 1
            link.ordersRequest = nextRequest
            link.instance?.startOrders(request: nextRequest)
            return
        }
        guard carriers.isEmpty, let kind = adapter.capabilities.orderKind else { return }
        do throws(FeedError) {
            let isExclusive = adapter.capabilities.flags.contains(.exclusiveSession)
            guard !isExclusive || (links.isEmpty && adapter.capabilities.links[kind].carriesMarketData) else {
                throw FeedError(.capacity, "\(broker) allows one connection, and it does not carry order updates")
            }
            try openLink(kind: kind)
        } catch {
            logger.warning("no connection for order updates: \(error.message)")
        }
    }

    func ordersAnswered(_ link: BrokerLink, _ status: fh_status, request: UInt64) {
        guard link.ordersRequest == request else { return }
        guard status != FH_OK else { return logger.info("order updates started") }
        logger.warning(
            "order updates cannot be started: \(StatusWords.of(status)); tried again after the next connect")
        link.ordersRequest = nil
        link.hasRefusedOrders = true
        takeStock()
    }

    /// Passes an update on, in OpenAlgo's names, to the user's clients.
    func take(_ report: OrderReport, from link: BrokerLink) {
        // Some brokers tell every connection of the user; one of them counts, and it only as long as somebody listens.
        guard orderReferences > 0, link.bringsOrders, orderMemory.isNews(report.update) else { return }
        let masters = environment.masters
        let instrument =
            masters.instrument(
                broker: broker, brokerExchange: report.brokerExchange, brokerToken: report.brokerToken)
            ?? masters.instrument(
                broker: broker, brokerExchange: report.brokerExchange, brokerSymbol: report.brokerSymbol)
        var update = report.update
        update.exchange = instrument?.exchange ?? report.brokerExchange
        update.symbol = instrument?.symbol ?? report.brokerSymbol
        var json = JSONWriter(capacity: 512)
        update.write(to: &json, user: user, broker: broker)
        let header = OrderHeader(
            user: user, broker: broker, instrument: Instrument(exchange: update.exchange, symbol: update.symbol))
        environment.bus.publishOrder(header, json: json.withBytes { Array($0) })
    }
}
