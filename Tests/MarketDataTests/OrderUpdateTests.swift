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

    @Test func whatIsNotKnownIsLeftOut() {
        #expect(
            json(OrderUpdate(orderID: "a\"b", status: "open"))
                == #"{"type":"order_update","user_id":"alice","mode":"live","broker":"upstox","orderid":"a\"b","order_status":"open","rejection_reason":""}"#
        )
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
