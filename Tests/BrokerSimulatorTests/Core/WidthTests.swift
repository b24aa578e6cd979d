import NIOCore
import Testing

@testable import BrokerSimulator

/// What the simulated brokers write at the edges of 32 bits, and beyond: the right bits, or the nearest that there are, and
/// never a trap.
struct WidthTests {
    private static let edges: [Int64] = [
        0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 1_000_000_000_000, -1, -0x8000_0000, -0x8000_0001,
        -1_000_000_000_000,
    ]

    private func market() -> Market {
        Market(
            instruments: Listings.standard(asOf: CalendarDay(year: 2021, month: 7, day: 5)), seed: 1,
            clock: { 1_625_461_887_000_000_000 })
    }

    /// A quote with the same number everywhere.
    private func fill(_ quote: inout Quote, _ value: Int64) {
        for path in [
            \Quote.lastPrice, \.lastQuantity, \.averagePrice, \.volume, \.totalBuyQuantity, \.totalSellQuantity, \.open,
            \.high, \.low, \.close, \.openInterest, \.openInterestHigh, \.openInterestLow, \.lowerCircuit,
            \.upperCircuit,
            \.yearHigh, \.yearLow, \.previousOpenInterest,
        ] { quote[keyPath: path] = value }
        quote.bids = Array(repeating: BookLevel(price: value, quantity: value, orders: value), count: Quote.depth)
        quote.asks = quote.bids
    }

    private func words(_ buffer: ByteBuffer) -> [UInt32] {
        stride(from: 0, to: buffer.readableBytes, by: 4).map {
            buffer.getInteger(at: buffer.readerIndex + $0) ?? 0
        }
    }

    @Test func kiteWritesEveryFieldOfEverySegment() throws {
        let market = market()
        for instrument in market.instruments {
            guard let listing = KiteListing(instrument) else { continue }
            let place = try #require(market.instruments.firstIndex { $0.segment == instrument.segment })
            for edge in Self.edges {
                var quote = market.quotes[place]
                fill(&quote, edge)
                let raw = edge * listing.scale
                let isSigned = instrument.segment == .mcx
                let price = isSigned ? UInt32(bitPattern: Int32(clamping: raw)) : UInt32(clamping: raw)
                let number = UInt32(clamping: edge)
                let packet = words(KitePacket.full(quote, of: listing))
                guard !listing.isIndex else {
                    #expect(Array(packet[1..<6]) == [price, price, price, price, price == 0 ? 0 : packet[5]])
                    continue
                }
                #expect(
                    Array(packet[1..<11])
                        == [price, number, price, number, number, number, price, price, price, price])
                #expect(Array(packet[12..<15]) == [number, number, number])
                for level in 0..<10 {
                    let orders = UInt32(UInt16(clamping: edge)) << 16
                    #expect(Array(packet[(16 + 3 * level)..<(19 + 3 * level)]) == [number, price, orders])
                }
            }
        }
    }

    /// A kilogram of silver on NSE.
    @Test func silverOnNSEIsBeyondTwoToThe31st() throws {
        let market = market()
        let place = try #require(market.index(ofSymbol: "NCO:SILVER27JUL21FUT"))
        let listing = try #require(KiteListing(market.instruments[place]))
        market.change(place) { $0.lastPrice = 26_850_000 }
        #expect(words(KitePacket.full(market.quotes[place], of: listing))[1] == 2_685_000_000)
    }

    @Test func angelWritesEveryModeOfEverySegment() throws {
        let market = market()
        for (place, instrument) in market.instruments.enumerated() {
            guard let listing = AngelListing(instrument) else { continue }
            for edge in Self.edges {
                var quote = market.quotes[place]
                fill(&quote, edge)
                for mode in AngelMode.allCases {
                    var bytes = ByteBuffer()
                    AngelPacket.write(quote, of: listing, mode: mode, sequence: 1, to: &bytes)
                    #expect(bytes.readableBytes == mode.packetSize)
                    if mode == .depth20 {
                        #expect(bytes.getInteger(at: 43, endianness: .little) == UInt32(clamping: edge))
                        let price: UInt32? = bytes.getInteger(at: 47, endianness: .little)
                        #expect(price == UInt32(clamping: edge * listing.scale))
                    } else {
                        #expect(bytes.getInteger(at: 43, endianness: .little) == edge * listing.scale)
                    }
                }
            }
        }
    }

    @Test func norenWritesAllDigits() {
        for edge in Self.edges {
            for decimals in [0, 2, 4] {
                var bytes = ByteBuffer()
                NorenMessage.writeFixed(edge, decimals: decimals, to: &bytes)
                let wanted = decimals == 0 ? "\(edge)" : DecimalText.fixed(edge, exponent: -Int8(decimals))
                #expect(String(buffer: bytes) == wanted)
            }
        }
    }

    /// The market goes on from whatever it was set to.
    @Test func theWalkGoesOnFromAnywhere() {
        let market = market()
        for edge in Self.edges {
            for place in market.instruments.indices {
                market.change(place) { fill(&$0, edge) }
                for _ in 0..<3 { market.step(place) }
            }
        }
    }
}
