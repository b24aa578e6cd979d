import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

@Suite struct ZerodhaOrderTests {
    /// An order update as in Kite Connect's docs, with `changes` to its fields: JSON values by name.
    static func frame(_ changes: [String: String] = [:]) -> String {
        var fields = [
            "user_id": #""AB1234""#, "unfilled_quantity": "0", "app_id": "1234", "checksum": #""2011845d""#,
            "placed_by": #""AB1234""#, "order_id": #""220303000308932""#, "exchange_order_id": #""1000000001482421""#,
            "parent_order_id": "null", "status": #""COMPLETE""#, "status_message": "null",
            "status_message_raw": "null", "order_timestamp": #""2022-03-03 09:24:25""#,
            "exchange_update_timestamp": #""2022-03-03 09:24:26""#, "exchange_timestamp": #""2022-03-03 09:24:24""#,
            "variety": #""regular""#, "exchange": #""NSE""#, "tradingsymbol": #""SBIN""#, "instrument_token": "779521",
            "order_type": #""LIMIT""#, "transaction_type": #""BUY""#, "validity": #""DAY""#, "product": #""CNC""#,
            "quantity": "10", "disclosed_quantity": "0", "price": "470.5", "trigger_price": "0",
            "average_price": "470.35", "filled_quantity": "7", "pending_quantity": "3", "cancelled_quantity": "0",
            "market_protection": "0", "meta": "{}", "tag": "null", "guid": #""1XXXX""#,
        ]
        fields.merge(changes) { $1 }
        let members = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        return "{\"type\":\"order\",\"data\":{\(members.joined(separator: ","))}}"
    }

    private func deliver(_ changes: [String: String] = [:]) throws -> InMemoryHost {
        let host = try openZerodha()
        host.startOrders()
        host.deliver(Self.frame(changes))
        return host
    }

    @Test func normalisesAnOrder() throws {
        let order = try #require(deliver().orders.first)
        #expect(order.orderID == "220303000308932")
        #expect(order.status == "complete")
        #expect((order.brokerExchange, order.brokerSymbol, order.brokerToken) == ("NSE", "SBIN", "779521"))
        #expect((order.action, order.priceType, order.product) == ("BUY", "LIMIT", "CNC"))
        #expect((order.quantity, order.filled, order.pending) == (10, 7, 3))
        #expect((order.priceExponent, order.quantityExponent) == (-8, 0))
        #expect((order.price, order.trigger, order.average) == (47_050_000_000, 0, 47_035_000_000))
        #expect(order.reason.isEmpty)
        // 09:24:26 in India is 03:54:26 UTC.
        #expect(order.exchangeTime == 1_646_279_666_000_000_000)
    }

    @Test(arguments: [
        ("COMPLETE", "complete"), ("REJECTED", "rejected"), ("CANCELLED", "cancelled"), ("CANCELLED AMO", "cancelled"),
        ("OPEN", "open"), ("UPDATE", "open"), ("TRIGGER PENDING", "trigger pending"), ("VALIDATION PENDING", "open"),
        ("PUT ORDER REQ RECEIVED", "open"), ("OPEN PENDING", "open"), ("MODIFY VALIDATION PENDING", "open"),
        ("MODIFY PENDING", "open"), ("CANCEL PENDING", "open"), ("AMO REQ RECEIVED", "open"),
    ])
    func mapsEachStatus(kite: String, status: String) throws {
        #expect(try deliver(["status": "\"\(kite)\""]).orders.map(\.status) == [status])
    }

    @Test(arguments: ["MARKET", "LIMIT", "SL", "SL-M"])
    func keepsThePriceType(type: String) throws {
        #expect(try deliver(["order_type": "\"\(type)\""]).orders.map(\.priceType) == [type])
    }

    @Test func saysWhyAnOrderWasRejected() throws {
        let message = #""Insufficient funds. Required margin is ₹100 \u2014 \"add\" funds""#
        let orders = try deliver(["status": #""REJECTED""#, "status_message": message]).orders
        #expect(orders.map(\.reason) == ["Insufficient funds. Required margin is ₹100 — \"add\" funds"])
        #expect(try deliver(["status": #""OPEN""#, "status_message": message]).orders.map(\.reason) == [""])
    }

    @Test func readsNumbersHoweverTheyAreWritten() throws {
        let order = try #require(
            deliver([
                "quantity": #""10""#, "filled_quantity": "10.0", "pending_quantity": "null", "unfilled_quantity": "2",
                "price": "83.474999999999994", "average_price": "-0.0000000050", "trigger_price": "\"\"",
                "order_id": "12345", "instrument_token": #""412675""#, "transaction_type": #""sell""#,
            ]
            ).orders.first)
        #expect((order.quantity, order.filled, order.pending) == (10, 10, 2))
        #expect(order.price == 8_347_500_000)
        #expect(order.average == -1)
        #expect(order.trigger == nil)
        #expect((order.orderID, order.brokerToken, order.action) == ("12345", "412675", "SELL"))
    }

    @Test(
        arguments: [
            ("null", "\"2022-03-03 09:24:24\"", 1_646_279_664), ("\"\"", "null", 1_646_279_665),
            ("\"2024-02-29 00:00:00\"", "null", 1_709_145_000), ("\"2022-13-03 09:24:24\"", "null", 1_646_279_665),
            ("\"2022-03-03 25:24:24\"", "null", 1_646_279_665), ("\"9022-03-03 09:24:24\"", "null", 1_646_279_665),
            ("\"1950-03-03 09:24:24\"", "null", 1_646_279_665),
        ] as [(String, String, UInt64)])
    func takesTheBestTimeThereIs(update: String, exchange: String, seconds: UInt64) throws {
        let host = try deliver(["exchange_update_timestamp": update, "exchange_timestamp": exchange])
        #expect(host.orders.map(\.exchangeTime) == [seconds * 1_000_000_000])
    }

    @Test func passesOrdersOnOnlyWhileTheyAreWanted() throws {
        let host = try openZerodha()
        host.deliver(Self.frame())
        host.startOrders()
        host.deliver(Self.frame())
        host.stopOrders()
        host.deliver(Self.frame())
        #expect(host.orders.count == 1)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 2)
        #expect(host.sockets.count == 1)
        #expect(host.takeSent().isEmpty)
    }

    @Test(arguments: ["order_id", "status"])
    func refusesAnOrderWithoutWhatItNeeds(field: String) throws {
        for value in ["null", "\"\""] {
            let host = try deliver([field: value])
            #expect(host.orders.isEmpty)
            #expect(host.metric(FH_M_FRAMES_BAD) == 1)
        }
    }

    @Test(arguments: ["null", "[]", "12", "\"text\""])
    func refusesWhatIsNoOrder(data: String) throws {
        let host = try openZerodha()
        host.startOrders()
        host.deliver("{\"type\":\"order\",\"data\":\(data)}")
        #expect(host.orders.isEmpty)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1)
    }
}
