import MarketData
import Testing

@testable import MarketBus

@Suite struct EncodedOrderHeaderTests {
    @Test(arguments: [
        OrderHeader(user: "anna", broker: "angel", instrument: Instrument(exchange: "NSE", symbol: "M&M")),
        OrderHeader(user: "анна", broker: nil, instrument: Instrument(exchange: "CRYPTO", symbol: "币安人生USDT")),
        OrderHeader(user: "", broker: "", instrument: nil),
        OrderHeader(user: "a", broker: nil, instrument: Instrument(exchange: "", symbol: "")),
        OrderHeader(user: String(repeating: "x", count: 100_000), broker: "b", instrument: nil),
    ])
    func comesBackAsItWas(_ header: OrderHeader) {
        let read = EncodedOrderHeader(header).bytes.withUnsafeBytes { EncodedOrderHeader.read($0) }
        #expect(read == header)
    }
}
