import Foundation
import NIOCore
import Testing

@testable import BrokerSimulator

struct KitePacketTests {
    private func hex(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func market() -> Market {
        Market(
            instruments: Listings.standard(asOf: CalendarDay(year: 2021, month: 7, day: 5)), seed: 1,
            clock: { 1_625_461_887_000_000_000 })
    }

    /// The values of INFY in the sample packets that Zerodha publishes for its clients.
    private func infy(_ market: Market) throws -> Int {
        let index = try #require(market.index(ofSymbol: "NSE:INFY"))
        market.change(index) { quote in
            quote.lastPrice = 157_315
            quote.lastQuantity = 1
            quote.averagePrice = 157_033
            quote.volume = 1_175_986
            quote.totalBuyQuantity = 256_511
            quote.totalSellQuantity = 360_503
            (quote.open, quote.high, quote.low, quote.close) = (156_915, 157_500, 156_105, 156_780)
            quote.openInterest = 9
            (quote.openInterestHigh, quote.openInterestLow) = (10, 8)
            quote.bids[0] = BookLevel(price: 157_300, quantity: 5, orders: 2)
            quote.asks[4] = BookLevel(price: 157_400, quantity: 70_000, orders: 65_535)
        }
        return index
    }

    private func messages(_ entries: [Subscription], _ market: Market) -> [(bytes: ByteBuffer, packets: Int)] {
        var packets = KitePackets(market.instruments)
        return packets.messages(entries, of: market)
    }

    private func message(_ index: Int, _ mode: KiteMode, _ market: Market) throws -> [UInt8] {
        let all = messages([Subscription(instrument: index, mode: mode.rawValue)], market)
        return Array(try #require(all.first).bytes.readableBytesView)
    }

    private static let quote = """
        00063a01 00026683 00000001 00026569 0011f1b2 0003e9ff 00058037 000264f3 0002673c 000261c9 0002646c
        """

    @Test func thePublishedQuotePacket() throws {
        let market = market()
        #expect(try message(infy(market), .quote, market) == hex("0001 002c" + Self.quote))
    }

    @Test func theLastPriceAlone() throws {
        let market = market()
        #expect(try message(infy(market), .ltp, market) == hex("0001 0008 00063a01 00026683"))
    }

    @Test func theFullPacket() throws {
        let market = market()
        let packet = Array(try message(infy(market), .full, market).dropFirst(4))
        #expect(packet.count == 184)
        #expect(Array(packet.prefix(44)) == hex(Self.quote))
        // Last trade and exchange time 1625461887; open interest and its range between them.
        #expect(Array(packet[44..<64]) == hex("60e2947f 00000009 0000000a 00000008 60e2947f"))
        // Quantity, price, orders, two bytes of nothing.
        #expect(Array(packet[64..<76]) == hex("00000005 00026674 0002 0000"))
        #expect(Array(packet[172..<184]) == hex("00011170 000266d8 ffff 0000"))
    }

    @Test func anIndexHasAnotherLayout() throws {
        let market = market()
        let index = try #require(market.index(ofSymbol: "NSE_INDEX:NIFTY"))
        market.change(index) { quote in
            (quote.lastPrice, quote.high, quote.low, quote.open, quote.close) = (100, 400, 50, 300, 250)
        }
        let full = try message(index, .full, market)
        // Token 256265 = 1001 · 256 + 9; last, high, low, open, close, change, time.
        #expect(
            full
                == hex("0001 0020 0003e909 00000064 00000190 00000032 0000012c 000000fa ffffff6a 60e2947f"))
        #expect(try message(index, .quote, market) == hex("0001 001c") + full[4..<32])
        #expect(try message(index, .ltp, market) == hex("0001 0008 0003e909 00000064"))
    }

    /// What an official client divides by, and the segment's number (Kite Connect docs; NCO from the Python client).
    @Test(arguments: [
        ("NSE:INFY", 1, 100), ("NFO:NIFTY27JUL21FUT", 2, 100), ("CDS:USDINR27JUL21FUT", 3, 10_000_000),
        ("BSE:INFY", 4, 100), ("BFO:SENSEX27JUL21FUT", 5, 100), ("BCD:USDINR27JUL21FUT", 6, 10_000),
        ("MCX:GOLD27JUL21FUT", 7, 100), ("BSE_INDEX:SENSEX", 9, 100), ("MCX_INDEX:MCXBULLDEX", 9, 100),
        ("NCO:SILVER27JUL21FUT", 12, 10_000),
    ])
    func scales(symbol: String, code: UInt32, divisor: Double) throws {
        let market = market()
        let index = try #require(market.index(ofSymbol: symbol))
        let instrument = market.instruments[index]
        var packet = KitePacket.full(market.quotes[index], of: try #require(KiteListing(instrument)))
        let numbers = packet.readMultipleIntegers(as: (UInt32, UInt32).self)
        let (token, price) = try #require(numbers)
        #expect(token & 255 == code && token >> 8 == instrument.token)
        let expected = DecimalText.fixed(market.quotes[index].lastPrice, exponent: instrument.segment.priceExponent)
        #expect(Double(price) / divisor == Double(expected))
    }

    @Test func commoditiesOfNCDEXAreNotKitesBusiness() throws {
        let market = market()
        let index = try #require(market.instruments.firstIndex { $0.segment == .ncdex })
        let infy = try #require(market.index(ofSymbol: "NSE:INFY"))
        let entries = [index, infy].map { Subscription(instrument: $0, mode: KiteMode.ltp.rawValue) }
        let all = messages(entries, market)
        #expect(all.map(\.packets) == [1])
        #expect(all.first?.bytes.getInteger(at: 0, as: UInt16.self) == 1 && all.first?.bytes.readableBytes == 12)
        #expect(!String(buffer: KiteMaster.csv(market, exchange: nil)).contains("NCDEX"))
    }

    @Test func packetsAreMadeAnewWhenValuesChange() throws {
        let market = market()
        let index = try infy(market)
        let entry = Subscription(instrument: index, mode: KiteMode.ltp.rawValue)
        var packets = KitePackets(market.instruments)
        let first = packets.messages([entry], of: market)[0].bytes
        #expect(packets.messages([entry], of: market)[0].bytes == first)
        market.change(index) { $0.lastPrice = 1 }
        #expect(packets.messages([entry], of: market)[0].bytes != first)
    }

    @Test func longListsBecomeSeveralMessages() throws {
        let market = Market(
            instruments: Listings.standard(asOf: CalendarDay(year: 2021, month: 7, day: 5), synthetic: 1_100), seed: 1)
        let entries = market.instruments.indices.suffix(1_100).map { Subscription(instrument: $0, mode: 2) }
        let all = messages(Array(entries), market)
        #expect(all.map(\.packets) == [500, 500, 100])
        #expect(all.map(\.bytes.readableBytes) == [500 * 186 + 2, 500 * 186 + 2, 100 * 186 + 2])
    }

    @Test(arguments: [
        (#"{"a":"subscribe","v":[408065,884737]}"#, KiteRequest.subscribe([408_065, 884_737])),
        (#"{"a": "unsubscribe", "v": [884737]}"#, .unsubscribe([884_737])),
        (#"{"v":["full",[408065]],"a":"mode"}"#, .mode(.full, [408_065])),
    ])
    func requests(text: String, expected: KiteRequest) throws {
        #expect(try JSONDecoder().decode(KiteRequest.self, from: Data(text.utf8)) == expected)
    }

    @Test(arguments: [
        #"{"a":"mode","v":["max",[1]]}"#, #"{"a":"mode","v":[408065]}"#, #"{"a":"jump","v":[1]}"#,
        #"{"a":"subscribe"}"#,
        #"{"a":"subscribe","v":[-1]}"#, #"{"a":"subscribe","v":["1"]}"#, "[]", "",
    ])
    func wrongRequests(text: String) {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(KiteRequest.self, from: Data(text.utf8)) }
    }
}
