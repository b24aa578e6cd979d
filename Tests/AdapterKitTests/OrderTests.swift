import AdapterTestKit
import CFeedhostABI
import Testing

@testable import AdapterKit

/// An adapter whose second link brings order updates.
private final class Ordering: BaseAdapter {
    static let descriptor: AdapterDescriptor = {
        var capabilities = Capabilities(exchanges: ["NSE"])
        capabilities.orderStream = .ownSocket
        capabilities.links = [Link("market", carries: .marketData), Link("orders", carries: .orders)]
        return AdapterDescriptor(
            id: "io.feedhost.ordering", broker: "ordering", name: "Ordering", vendor: "Tests", version: "1.0.0",
            capabilities: capabilities)
    }()

    static let entry = AdapterEntry([
        AdapterRegistration(descriptor) { context throws(AdapterError) in try Ordering(context) }
    ])

    override func connect(credentials: Credentials) throws(AdapterError) { ready() }

    override func startOrders() throws(AdapterError) {
        if host.config("refuse") != nil { throw AdapterError(.unsupported, "this account has no order updates") }
        var update = OrderUpdate(orderID: "240001", state: .triggerPending, priceExponent: -2)
        update.brokerExchange = "NSE"
        update.brokerSymbol = "INFY-EQ"
        update.brokerToken = "1594"
        update.action = .sell
        update.priceType = .stopMarket
        update.product = "MIS"
        update.reason = "margin"
        update.quantity = 10
        update.filled = 0
        update.trigger = 157_315
        update.exchangeTime = 1_700_000_000_000_000_000
        publish(update)
    }

    override func stopOrders() {
        publish(OrderUpdate(orderID: "too late", state: .open, priceExponent: 0))
    }
}

@Suite struct OrderTests {
    @Test func anUpdateCrossesTheInterfaceWhole() throws {
        let host = try InMemoryHost(Ordering.entry, link: 1)
        host.connect()
        #expect(host.startOrders().isSuccess)
        let order = try #require(host.orders.first)
        #expect(order.orderID == "240001" && order.status == "trigger pending" && order.reason == "margin")
        #expect(order.brokerExchange == "NSE" && order.brokerSymbol == "INFY-EQ" && order.brokerToken == "1594")
        #expect(order.action == "SELL" && order.priceType == "SL-M" && order.product == "MIS")
        #expect(order.quantity == 10 && order.filled == 0 && order.trigger == 157_315 && order.priceExponent == -2)
        #expect(order.pending == nil && order.price == nil && order.average == nil)
        #expect(order.exchangeTime == 1_700_000_000_000_000_000)
    }

    @Test func startingTwiceStartsOnce() throws {
        let host = try InMemoryHost(Ordering.entry, link: 1)
        host.connect()
        host.startOrders()
        #expect(host.startOrders().isSuccess)
        #expect(host.orders.count == 1)
    }

    @Test func nothingIsToldOnceNobodyWantsIt() throws {
        let host = try InMemoryHost(Ordering.entry, link: 1)
        host.connect()
        host.startOrders()
        #expect(host.stopOrders().isSuccess)
        #expect(host.orders.count == 1)
    }

    @Test func ordersAreNotWantedAfterAReconnectUntilTheHostAsksAgain() throws {
        let host = try InMemoryHost(Ordering.entry, link: 1)
        host.connect()
        host.startOrders()
        host.disconnect()
        #expect(host.startOrders() == .wrongState)
        host.connect()
        #expect(host.startOrders().isSuccess)
        #expect(host.orders.count == 2)
    }

    @Test func aRefusalIsSaidAndLeavesThingsAsTheyWere() throws {
        let host = try InMemoryHost(Ordering.entry, settings: ["refuse": "yes"], link: 1)
        host.connect()
        #expect(host.startOrders() == .unsupported)
        #expect(host.log.contains { $0.contains("this account has no order updates") })
        #expect(host.orders.isEmpty)
    }

    @Test func aLinkWithoutOrdersHasNoTable() throws {
        let host = try InMemoryHost(Ordering.entry, link: 0)
        host.connect()
        #expect(host.startOrders() == .unsupported)
    }
}
