import NIOCore
import Testing

@testable import BrokerSimulator

@Suite struct AngelPacketTests {
    static func instrument(
        _ segment: Segment, token: UInt32, contract: SimulatedInstrument.Contract = .cash
    ) -> SimulatedInstrument {
        SimulatedInstrument(
            segment: segment, token: token, root: "TEST", name: "TEST", contract: contract, tickSize: 5, lotSize: 1,
            basePrice: 100)
    }

    /// Every value another one, so that no two fields can be taken for each other.
    static var quote: Quote {
        var quote = Quote(
            lastPrice: 141_840, open: 141_801, high: 141_902, low: 141_703, close: 141_604, lowerCircuit: 127_405,
            upperCircuit: 156_006, yearHigh: 161_207, yearLow: 110_108)
        quote.lastQuantity = 11
        quote.averagePrice = 141_777
        quote.volume = 5_000_000_012
        quote.totalBuyQuantity = 6_000_013
        quote.totalSellQuantity = 7_000_014
        quote.lastTradeTime = 1_699_999_999_000_000_000
        quote.exchangeTime = 1_700_000_000_000_000_000
        quote.openInterest = 8_015
        for level in 0..<Quote.depth {
            let step = Int64(level)
            quote.bids[level] = BookLevel(price: 141_800 - step, quantity: 1_000 + step, orders: 10 + step)
            quote.asks[level] = BookLevel(price: 141_900 + step, quantity: 2_000 + step, orders: 40 + step)
        }
        return quote
    }

    private func packet(
        _ mode: AngelMode, _ instrument: SimulatedInstrument = instrument(.nse, token: 10_626),
        quote: Quote = quote, sequence: Int64 = 7
    ) throws -> ByteBuffer {
        let listing = try #require(AngelListing(instrument))
        var bytes = ByteBuffer()
        AngelPacket.write(quote, of: listing, mode: mode, sequence: sequence, to: &bytes)
        return bytes
    }

    private func signed(_ packet: ByteBuffer, _ offset: Int) throws -> Int64 {
        try #require(packet.getInteger(at: offset, endianness: .little))
    }

    @Test func lastPricePacketIsTheGoldenOne() throws {
        let bytes = try packet(.lastPrice)
        let token = "3130363236" + String(repeating: "00", count: 20)
        let expected = "0101\(token)07000000000000000068e5cf8b010000102a020000000000"
        #expect(
            bytes.readableBytesView.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == expected
        )
    }

    @Test(arguments: zip(AngelMode.allCases, [51, 123, 379, 443])) func hasItsSize(mode: AngelMode, size: Int) throws {
        #expect(try packet(mode).readableBytes == size)
        #expect(mode.packetSize == size)
        #expect(try packet(mode).getBytes(at: 0, length: 7) == [mode.rawValue, 1] + Array("10626".utf8))
    }

    @Test func snapQuoteHasEveryFieldInItsPlace() throws {
        let bytes = try packet(.snapQuote)
        let whole: [(Int, Int64)] = [
            (27, 7), (35, 1_700_000_000_000), (43, 141_840), (51, 11), (59, 141_777), (67, 5_000_000_012),
            (91, 141_801), (99, 141_902), (107, 141_703), (115, 141_604), (123, 1_699_999_999), (131, 8_015),
            (347, 156_006), (355, 127_405), (363, 161_207), (371, 110_108),
        ]
        for (offset, value) in whole { #expect(try signed(bytes, offset) == value, "at \(offset)") }
        for (offset, value) in [(75, 6_000_013.0), (83, 7_000_014.0)] {
            #expect(try signed(bytes, offset) == Int64(bitPattern: value.bitPattern), "at \(offset)")
        }
        for row in 0..<10 {
            let offset = 147 + row * 20
            let step = Int64(row % 5)
            let isBid = row < 5
            #expect(bytes.getInteger(at: offset, endianness: .little, as: UInt16.self) == (isBid ? 1 : 0))
            #expect(try signed(bytes, offset + 2) == (isBid ? 1_000 : 2_000) + step)
            #expect(try signed(bytes, offset + 10) == (isBid ? 141_800 - step : 141_900 + step))
            #expect(
                bytes.getInteger(at: offset + 18, endianness: .little, as: UInt16.self)
                    == UInt16((isBid ? 10 : 40) + step))
        }
    }

    @Test func smallerModesAreTheBeginningOfLargerOnes() throws {
        let full = try #require(packet(.snapQuote).getBytes(at: 1, length: 122))
        #expect(try packet(.quote).getBytes(at: 1, length: 122) == full)
        #expect(try packet(.lastPrice).getBytes(at: 1, length: 50) == Array(full.prefix(50)))
    }

    @Test func depth20HasItsOwnLayout() throws {
        let bytes = try packet(.depth20)
        #expect(try signed(bytes, 27) == 1_700_000_000_000)
        for row in 0..<40 {
            let offset = 43 + row * 10
            let step = Int32(row % 20)
            let isBid = row < 20
            #expect(bytes.getInteger(at: offset, endianness: .little, as: Int32.self) == (isBid ? 1_000 : 2_000) + step)
            #expect(
                bytes.getInteger(at: offset + 4, endianness: .little, as: Int32.self)
                    == (isBid ? 141_800 - step : 141_900 + step))
            #expect(
                bytes.getInteger(at: offset + 8, endianness: .little, as: Int16.self)
                    == Int16((isBid ? 10 : 40) + step))
        }
    }

    @Test func currenciesAreTenMillionths() throws {
        let rupee = Self.instrument(.cds, token: 1_234)
        var quote = Self.quote
        // 83.2525 with four decimals.
        quote.lastPrice = 832_525
        let bytes = try packet(.snapQuote, rupee, quote: quote)
        #expect(bytes.getInteger(at: 1, as: UInt8.self) == 13)
        #expect(try signed(bytes, 43) == 832_525_000)
        #expect(try signed(bytes, 157) == 141_800_000)
        #expect(try signed(bytes, 371) == 110_108_000)
    }

    @Test func indicesHaveNoSequenceAndNoCircuits() throws {
        var index = Self.instrument(.nseIndex, token: 0, contract: .index)
        index.indexTokens = .init(kite: 1, angel: 99_926_000, noren: 26_000)
        let bytes = try packet(.snapQuote, index)
        #expect(bytes.getBytes(at: 1, length: 9) == [1] + Array("99926000".utf8))
        for offset in [27, 347, 355] { #expect(try signed(bytes, offset) == 0) }
        #expect(try signed(bytes, 43) == 141_840)
    }

    @Test func packetsOfOneStepAreMadeOnce() throws {
        let listing = try #require(AngelListing(Self.instrument(.nse, token: 1)))
        var cache = AngelPacketCache(instruments: 2)
        var quote = Self.quote
        let first = cache.packet(quote, of: listing, at: 0, mode: .lastPrice)
        #expect(cache.packet(quote, of: listing, at: 0, mode: .lastPrice) == first)
        // Another mode of the same step has the same number.
        #expect(try signed(cache.packet(quote, of: listing, at: 0, mode: .quote), 27) == signed(first, 27))
        #expect(try signed(cache.packet(quote, of: listing, at: 1, mode: .lastPrice), 27) == signed(first, 27) + 1)
        quote.version += 1
        quote.lastPrice += 5
        let second = cache.packet(quote, of: listing, at: 0, mode: .lastPrice)
        #expect(try signed(second, 27) == signed(first, 27) + 2)
        #expect(try signed(second, 43) == 141_845)
    }
}
