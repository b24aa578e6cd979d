import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// What becomes of an update that an adapter hands over.
@Suite struct OrderUpdateTests {
    private static var declared: Declared {
        var declared = Declared()
        declared.orders = .sameSocket
        declared.links = [Declared.link(carries: 15, quota: 1, maxLinks: 2)]
        return declared
    }

    /// Runs a test on a session whose orders somebody listens to.
    private static func run(
        _ body: (SessionFixture, BrokerSession, ScriptedInstance, TickReader) async throws -> Void
    ) async throws {
        try await SessionFixture.run(declared) { fixture, session in
            let route = try await session.subscribe("INFY").route
            let instance = try #require(fixture.broker.instance)
            let reader = try TickReader(fixture.bus)
            try await reader.start([route])
            do {
                // A tick that comes through says that the bus knows its reader.
                try await eventually("a tick") {
                    instance.publish(route.instrument, ltp: 1)
                    return !reader.ticks.entries.isEmpty
                }
                try await body(fixture, session, instance, reader)
            } catch {
                await reader.close()
                throw error
            }
            await reader.close()
        }
    }

    @Test func itReachesItsUserInOpenAlgosWords() async throws {
        try await Self.run { fixture, session, instance, reader in
            fixture.masters.list("NHPC", token: "17400")
            try await session.startOrders()
            let texts = ["BUY", "LIMIT", "CNC", "RMS: no \"margin\""].map { StableText($0) }
            let status = instance.publishOrder(
                "2607150001", "rejected", filled: 0, price: 5_000, exchange: "nse_cm", symbol: "ignored", token: "17400"
            ) {
                $0.action = texts[0].str
                $0.price_type = texts[1].str
                $0.product = texts[2].str
                $0.reason = texts[3].str
                $0.quantity = 1
                $0.pending = 1
                $0.trigger = 0
                $0.average = 99
                $0.known |= UInt32(FH_O_QUANTITY | FH_O_PENDING | FH_O_TRIGGER)
            }
            withExtendedLifetime(texts) {}
            #expect(status == FH_OK)
            try await reader.orders.waitFor("the update") { _ in true }
            let expected =
                #"{"type":"order_update","user_id":"anna","mode":"live","broker":"scripted","orderid":"2607150001","#
                + #""symbol":"NHPC","exchange":"NSE","action":"BUY","quantity":1,"price":50.0,"trigger_price":0.0,"#
                + #""pricetype":"LIMIT","product":"CNC","order_status":"rejected","filled_quantity":0,"#
                + #""pending_quantity":1,"average_price":0.0,"rejection_reason":"RMS: no \"margin\""}"#
            #expect(reader.orders.entries == [.init(user: "anna", json: expected)])
        }
    }

    @Test func itsInstrumentIsFoundByTokenThenBySymbolThenNotAtAll() async throws {
        try await Self.run { fixture, session, instance, reader in
            fixture.masters.list("INFY", token: "1594")
            try await session.startOrders()
            instance.publishOrder("1", "open", exchange: "nse_cm", symbol: "TCS-EQ", token: "1594")
            instance.publishOrder("2", "open", exchange: "nse_cm", symbol: "INFY-EQ", token: "77")
            instance.publishOrder("3", "open", exchange: "nse_cm", symbol: "INFY-EQ")
            instance.publishOrder("4", "open", exchange: "ncx", symbol: "GUAR", token: "5")
            try await reader.orders.waitFor("all", count: 4) { _ in true }
            let names = reader.orders.entries.map { order in
                order.json.firstRange(of: "\"symbol\"").map { String(order.json[$0.lowerBound...].prefix(36)) } ?? ""
            }
            #expect(names[0].hasPrefix(#""symbol":"INFY","exchange":"NSE""#))
            #expect(names[1].hasPrefix(#""symbol":"INFY","exchange":"NSE""#))
            #expect(names[2].hasPrefix(#""symbol":"INFY","exchange":"NSE""#))
            #expect(names[3].hasPrefix(#""symbol":"GUAR","exchange":"ncx""#))
        }
    }

    @Test func theSameStateIsToldOnceAndEveryChangeIs() async throws {
        try await Self.run { _, session, instance, reader in
            try await session.startOrders()
            instance.publishOrder("1", "open", filled: 0, price: 100)
            instance.publishOrder("1", "open", filled: 0, price: 100)
            instance.publishOrder("2", "open", filled: 0, price: 100)
            instance.publishOrder("1", "open", filled: 0, price: 105)
            instance.publishOrder("1", "open", filled: 0, price: 100)
            instance.publishOrder("1", "open", filled: 5, price: 100)
            instance.publishOrder("1", "complete", filled: 10, price: 100)
            instance.publishOrder("1", "complete", filled: 10, price: 100)
            instance.publishOrder("end", "open")
            try await reader.orders.waitFor("the end") { $0.json.contains(#""end""#) }
            #expect(reader.orders.entries.count == 7)
        }
    }

    @Test func nothingComesThatNobodyWants() async throws {
        try await Self.run { fixture, session, instance, reader in
            instance.publishOrder("before", "open")
            try await session.subscribe("B")
            try await session.startOrders()
            // Some brokers tell every connection.
            fixture.broker[2]?.publishOrder("other", "open")
            await session.settleDown()
            await session.stopOrders()
            instance.publishOrder("after", "open")
            await session.settleDown()
            try await session.startOrders()
            instance.publishOrder("end", "open")
            try await reader.orders.waitFor("the end") { $0.json.contains(#""end""#) }
            #expect(reader.orders.entries.count == 1)
        }
    }

    @Test func whatIsNoOrderIsRefused() async throws {
        try await Self.run { _, session, instance, reader in
            try await session.startOrders()
            #expect(MemoryLayout<fh_order>.size == OrderReport.firstSize)
            #expect(instance.publishOrder("", "open") == FH_E_INVALID)
            #expect(instance.publishOrder("1", "") == FH_E_INVALID)
            #expect(instance.publishOrder("1", "open") { $0.size = 215 } == FH_E_INVALID)
            #expect(instance.publishOrder("1", "open") { $0.price_exp = 1 } == FH_E_INVALID)
            #expect(instance.publishOrder("1", "open") { $0.qty_exp = -19 } == FH_E_INVALID)
            let sink = HostTable.orderSink.pointee
            #expect(sink.publish(instance.context, nil) == FH_E_INVALID)
            var order = fh_order()
            #expect(sink.publish(nil, &order) == FH_E_INVALID)
            // Lengths without text, and a table that has grown.
            #expect(
                instance.publishOrder("end", "open") {
                    $0.size = 4_000
                    $0.reason = fh_str(ptr: nil, len: .max)
                    $0.known = .max
                } == FH_OK)
            try await reader.orders.waitFor("the end") { $0.json.contains(#""end""#) }
            #expect(reader.orders.entries.count == 1)
        }
    }

    @Test func theMemoryOfOrdersIsBounded() {
        var memory = OrderMemory()
        var reworded = OrderUpdate(orderID: "1", status: "open")
        reworded.reason = "in other words"
        let first = (0..<OrderMemory.capacity).map { memory.isNews(OrderUpdate(orderID: "\($0)", status: "open")) }
        #expect(first.allSatisfy { $0 })
        // One more pushes the oldest out; when that comes again, the next.
        let later = ["0", "one more", "1", "0", "1"].map { memory.isNews(OrderUpdate(orderID: $0, status: "open")) }
        #expect(later == [false, true, false, true, true])
        let again = memory.isNews(reworded)
        #expect(!again)
    }
}
