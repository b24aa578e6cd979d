import MarketData
import Testing

@Suite struct OrderHeaderTests {
    /// Brokers, users and instruments of updates from outside, whatever their writer escapes.
    @Test(arguments: [
        (#"{"broker":"angel","exchange":"NSE","symbol":"M&M"}"#, "angel", "NSE:M&M"),
        (#"{"broker":"\u0061ngel","exchange":"NSE","symbol":"M\u0026M"}"#, "angel", "NSE:M&M"),
        (#"{"symbol":"\u5e01\u5b89USDT","exchange":"CRYPTO","broker":"binance"}"#, "binance", "CRYPTO:币安USDT"),
        (#"{"symbol":"\ud83d\ude80\/\t","exchange":"X","broker":"a\\b\""}"#, "a\\b\"", "X:🚀/\t"),
        (#"{"symbol":"\ud83d","exchange":"X","broker":5}"#, nil, nil),
        (#"{"symbol":"\ude80\ud83d","exchange":"X"}"#, nil, nil),
        (#"{"symbol":"TCS","data":{"broker":"angel","exchange":"NSE"}}"#, nil, nil),
        (#"{"a":[{"broker":"x"}],"broker":"","exchange":"","symbol":""}"#, "", ":"),
    ])
    func headersOfOrders(_ json: String, _ broker: String?, _ instrument: String?) {
        var json = json
        let header = json.withUTF8 { OrderHeader(user: "anna", reading: UnsafeRawBufferPointer($0)) }
        #expect(header.user == "anna" && header.broker == broker && header.instrument?.description == instrument)
    }
}
