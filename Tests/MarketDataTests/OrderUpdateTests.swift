import MarketData
import Testing

@Suite struct OrderUpdateTests {
    private func json(_ update: OrderUpdate, broker: String = "upstox") -> String {
        var writer = JSONWriter()
        update.write(to: &writer, user: "alice", broker: broker)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func everythingKnown() {
        var update = OrderUpdate(orderID: "2607150001", status: "rejected")
        update.exchange = "NSE"
        update.symbol = "NHPC"
        update.action = "BUY"
        update.priceType = "LIMIT"
        update.product = "CNC"
        update.reason = "RMS:..."
        update.priceExponent = -2
        update.quantity = 1
        update.filled = 0
        update.pending = 1
        update.price = 5_000
        update.trigger = 0
        update.average = 0
        #expect(
            json(update)
                == #"{"type":"order_update","user_id":"alice","mode":"live","broker":"upstox","orderid":"2607150001","symbol":"NHPC","exchange":"NSE","action":"BUY","quantity":1,"price":50.0,"trigger_price":0.0,"pricetype":"LIMIT","product":"CNC","order_status":"rejected","filled_quantity":0,"pending_quantity":1,"average_price":0.0,"rejection_reason":"RMS:..."}"#
        )
    }

    /// OpenAlgo's proxy sends every key always, and its clients read them without asking.
    @Test func whatIsNotKnownIsEmptyOrZero() {
        #expect(
            json(OrderUpdate(orderID: "a\"b", status: "open"))
                == #"{"type":"order_update","user_id":"alice","mode":"live","broker":"upstox","orderid":"a\"b","symbol":"","exchange":"","action":"","quantity":0,"price":0.0,"trigger_price":0.0,"pricetype":"","product":"","order_status":"open","filled_quantity":0,"pending_quantity":0,"average_price":0.0,"rejection_reason":""}"#
        )
    }

    /// What is still to trade, from what the broker has told of quantity, filled and pending.
    @Test(
        arguments: [
            (10, 4, nil, 6), (10, nil, nil, 10), (10, 4, 5, 5), (10, 10, nil, 0), (10, 12, nil, 0), (nil, 4, nil, 0),
            (nil, nil, nil, 0), (Int64.min, 1, nil, 0), (10, 4, 0, 0),
        ] as [(Int64?, Int64?, Int64?, Int64)])
    func pendingFollowsFromTheRest(quantity: Int64?, filled: Int64?, pending: Int64?, expected: Int64) {
        var update = OrderUpdate(orderID: "1", status: "open")
        (update.quantity, update.filled, update.pending) = (quantity, filled, pending)
        #expect(json(update).contains("\"pending_quantity\":\(expected),"))
        #expect(update.completed().pending == expected)
    }

    /// Every state, with every number told and untold: the same keys in the same order.
    @Test(arguments: ["open", "trigger pending", "complete", "rejected", "cancelled", "expired"])
    func everyStateHasEveryKey(status: String) {
        let paths: [WritableKeyPath<OrderUpdate, Int64?>] = [
            \.quantity, \.filled, \.pending, \.price, \.trigger, \.average,
        ]
        let keys = [
            "type", "user_id", "mode", "broker", "orderid", "symbol", "exchange", "action", "quantity", "price",
            "trigger_price", "pricetype", "product", "order_status", "filled_quantity", "pending_quantity",
            "average_price", "rejection_reason",
        ]
        for told in 0..<(1 << paths.count) {
            var update = OrderUpdate(orderID: "1", status: status)
            for (place, path) in paths.enumerated() where told >> place & 1 == 1 { update[keyPath: path] = 7 }
            let text = json(update)
            var rest = Substring(text)
            for key in keys {
                guard let found = rest.firstRange(of: "\"\(key)\":") else {
                    Issue.record("\(key) is missing or out of order in \(text)")
                    break
                }
                rest = rest[found.upperBound...]
            }
        }
    }

    @Test func numbersAreExact() {
        var update = OrderUpdate(orderID: "1", status: "open")
        update.priceExponent = -7
        update.quantityExponent = -3
        update.price = 865_425_001
        update.average = -1
        update.quantity = 1_500
        update.filled = 250
        let text = json(update)
        #expect(text.contains(#""price":86.5425001,"#) && text.contains(#""average_price":-0.0000001,"#))
        #expect(text.contains(#""quantity":1.5,"#) && text.contains(#""filled_quantity":0.25,"#))
    }
}
