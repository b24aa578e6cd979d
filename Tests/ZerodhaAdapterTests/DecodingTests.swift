import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

@Suite struct ZerodhaDecodingTests {
    /// A packet that Kite has sent.
    static let quote = """
        0001 002c 00063a01 00026683 00000001 00026569 0011f1b2 0003e9ff 00058037 000264f3 0002673c 000261c9 0002646c
        """

    private let quoteFields =
        FH_F_LTP | FH_F_LTQ | FH_F_AVG | FH_F_VOLUME | FH_F_TOTAL_BUY | FH_F_TOTAL_SELL | FH_F_OPEN | FH_F_HIGH
        | FH_F_LOW | FH_F_CLOSE

    @Test func decodesTheRealQuote() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_QUOTE)
        host.deliver(binary: hex(Self.quote))
        let record = try #require(host.ticks.last).record
        #expect(host.tickCount == 1)
        #expect(record.fields == UInt64(quoteFields))
        #expect(record.kind == UInt16(FH_MODE_QUOTE))
        #expect((record.price_exp, record.qty_exp) == (-2, 0))
        #expect((record.ltp, record.ltq, record.avg_px, record.volume) == (157_315, 1, 157_033, 1_175_986))
        #expect((record.total_buy_qty, record.total_sell_qty) == (256_511, 360_503))
        #expect((record.open, record.high, record.low, record.close) == (156_915, 157_500, 156_105, 156_780))
        #expect((record.ts_exchange, record.ts_recv, record.sequence) == (.max, host.now, .max))
        #expect(record.flags == UInt16(FH_TF_SNAPSHOT | FH_TF_LAST))
    }

    @Test func decodesALastPrice() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_LTP)
        host.deliver(binary: hex("0001 0008 00063a01 00026683"))
        let record = try #require(host.ticks.last).record
        #expect(record.fields == UInt64(FH_F_LTP))
        #expect(record.ltp == 157_315)
        #expect(record.kind == UInt16(FH_MODE_LTP))
        #expect(record.ts_exchange == .max)
    }

    @Test func decodesEveryFieldOfAFullPacket() throws {
        let host = try subscribeZerodha(Token.niftyFuture, FH_MODE_DEPTH)
        host.deliver(binary: kiteMessage(.numbered(184, token: Token.niftyFuture)))
        let tick = try #require(host.ticks.last)
        let record = tick.record
        #expect(
            record.fields
                == UInt64(
                    quoteFields | FH_F_TRADE_TS | FH_F_OI | FH_F_OI_HIGH | FH_F_OI_LOW | FH_F_BID | FH_F_ASK | FH_F_BIDS
                        | FH_F_ASKS))
        #expect(record.kind == UInt16(FH_MODE_DEPTH))
        #expect((record.ltp, record.ltq, record.avg_px, record.volume) == (100_004, 100_008, 100_012, 100_016))
        #expect((record.total_buy_qty, record.total_sell_qty) == (100_020, 100_024))
        #expect((record.open, record.high, record.low, record.close) == (100_028, 100_032, 100_036, 100_040))
        #expect((record.oi, record.oi_high, record.oi_low) == (100_048, 100_052, 100_056))
        #expect(record.ts_last_trade == 1_625_461_880_000_000_000)
        #expect(record.ts_exchange == 1_625_461_887_000_000_000)
        #expect((record.bid_px, record.bid_qty, record.ask_px, record.ask_qty) == (200_000, 10, 200_005, 15))
        #expect(
            tick.bids == (0..<5).map { PublishedLevel(price: 200_000 + $0, quantity: 10 + $0, orders: UInt32(1 + $0)) })
        #expect(
            tick.asks == (5..<10).map { PublishedLevel(price: 200_000 + $0, quantity: 10 + $0, orders: UInt32(1 + $0)) }
        )
    }

    @Test(arguments: [28, 32])
    func readsAnIndexInItsOwnOrder(length: Int) throws {
        let host = try subscribeZerodha(Token.nifty, length == 32 ? FH_MODE_DEPTH : FH_MODE_QUOTE)
        host.deliver(binary: kiteMessage(.numbered(length, token: Token.nifty)))
        let tick = try #require(host.ticks.last)
        #expect(tick.record.fields == UInt64(FH_F_LTP | FH_F_HIGH | FH_F_LOW | FH_F_OPEN | FH_F_CLOSE))
        #expect((tick.record.ltp, tick.record.high, tick.record.low) == (100_004, 100_008, 100_012))
        #expect((tick.record.open, tick.record.close) == (100_016, 100_020))
        #expect(tick.record.ts_exchange == (length == 32 ? 1_625_461_887_000_000_000 : .max))
        #expect(tick.record.kind == UInt16(FH_MODE_QUOTE))
        #expect(tick.bids.isEmpty && tick.asks.isEmpty)
        #expect(tick.record.flags & UInt16(FH_TF_SNAPSHOT) != 0)
    }

    @Test(
        arguments: [
            (1, -2), (2, -2), (3, -7), (4, -2), (5, -2), (6, -4), (7, -2), (8, -2), (9, -2), (12, -4),
        ] as [(UInt32, Int8)])
    func scalesPricesByTheSegment(segment: UInt32, exponent: Int8) throws {
        let token = 1_234 * 256 + segment
        let host = try subscribeZerodha(token, FH_MODE_DEPTH)
        host.deliver(binary: kiteMessage(.numbered(184, token: token), .numbered(8, token: token)))
        #expect(host.ticks.map(\.record.price_exp) == [exponent, exponent])
    }

    /// USDINR at 74.4275: a divisor of 100 would make 7,442,750.00 of it.
    @Test func readsACurrencyExactly() throws {
        let host = try subscribeZerodha(Token.usdinr, FH_MODE_LTP)
        var packet = KitePacket(8, token: Token.usdinr)
        packet.put(744_275_000, at: 4)
        host.deliver(binary: kiteMessage(packet))
        #expect(host.ticks.last?.record.ltp == 744_275_000)
        #expect(host.ticks.last?.record.price_exp == -7)
    }

    /// The last offer's count of orders and padding stand where some look for the open interest.
    @Test func readsTheOpenInterestFromItsPlace() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        var packet = KitePacket(184, token: Token.infy)
        packet.put(157_315, at: 4)
        packet.putLevel(9, price: 157_400, quantity: 20, orders: 5)
        host.deliver(binary: kiteMessage(packet))
        #expect(host.ticks.last?.value(\.oi, FH_F_OI) == 0)
    }

    @Test func knowsNoTimeWhereKiteWritesZero() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        var packet = KitePacket.numbered(184, token: Token.infy)
        packet.put(0, at: 44)
        packet.put(0, at: 60)
        host.deliver(binary: kiteMessage(packet))
        let tick = try #require(host.ticks.last)
        #expect(!tick.holds(FH_F_TRADE_TS))
        #expect(tick.record.ts_exchange == .max)
    }

    @Test func knowsNoPriceWhereKiteWritesZero() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_QUOTE)
        var packet = KitePacket(44, token: Token.infy)
        packet.put(156_780, at: 40)
        host.deliver(binary: kiteMessage(packet))
        let record = try #require(host.ticks.last).record
        let quantities = FH_F_LTQ | FH_F_VOLUME | FH_F_TOTAL_BUY | FH_F_TOTAL_SELL
        #expect(record.fields == UInt64(quantities | FH_F_CLOSE), "quantities of zero are zero")
        #expect(record.volume == 0)
    }

    @Test func readsPricesBelowZeroAndLargeQuantities() throws {
        let host = try subscribeZerodha(Token.crude, FH_MODE_QUOTE)
        var packet = KitePacket.numbered(44, token: Token.crude)
        packet.put(UInt32(bitPattern: -3_763), at: 4)
        packet.put(4_000_000_000, at: 16)
        host.deliver(binary: kiteMessage(packet))
        #expect(host.ticks.last?.record.ltp == -3_763)
        #expect(host.ticks.last?.record.volume == 4_000_000_000)
    }

    @Test func emptiesABookThatIsAllZeros() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        var packet = KitePacket(184, token: Token.infy)
        packet.put(157_315, at: 4)
        packet.putLevel(0, price: 157_300, quantity: 9, orders: 2)
        packet.putLevel(2, price: 157_280, quantity: 1, orders: 1)
        host.deliver(binary: kiteMessage(packet))
        let tick = try #require(host.ticks.last)
        #expect(tick.holds(FH_F_BIDS) && tick.holds(FH_F_ASKS))
        #expect(
            tick.bids == [
                PublishedLevel(price: 157_300, quantity: 9, orders: 2), PublishedLevel(price: 0, quantity: 0),
                PublishedLevel(price: 157_280, quantity: 1, orders: 1),
            ], "what is there keeps its place")
        #expect(tick.asks.isEmpty)
        #expect((tick.record.ask_px, tick.record.ask_qty) == (.max, .max))
        #expect((tick.record.bid_px, tick.record.bid_qty) == (157_300, 9))
    }

    @Test func readsPacketsOfAllKindsInOneMessage() throws {
        let host = try openZerodha()
        let tokens = [Token.infy, Token.nifty, Token.usdinr, Token.sensex, Token.crude]
        host.subscribe(tokens.map { host.wish($0, FH_MODE_DEPTH) })
        let packets = zip([184, 32, 44, 28, 8], tokens).map { KitePacket.numbered($0, token: $1).bytes }
        host.deliver(binary: kiteMessage(packets))
        #expect(host.ticks.map(\.record.instrument) == [1, 2, 3, 4, 5])
        #expect(host.ticks.map { $0.record.flags & UInt16(FH_TF_LAST) != 0 } == [false, false, false, false, true])
        // 44, 28 and 8 bytes are less than was asked for: late packets of an earlier mode wipe out nothing.
        #expect(
            host.ticks.map { $0.record.flags & UInt16(FH_TF_SNAPSHOT) != 0 } == [true, true, false, false, false])
        #expect(host.metrics.isEmpty)
    }

    @Test(arguments: [[0], [7], []] as [[UInt8]])
    func takesAHeartbeatForNothing(message: [UInt8]) throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_LTP)
        host.deliver(binary: message)
        host.deliver(binary: [0, 0])
        #expect(host.tickCount == 0)
        #expect(host.metrics.isEmpty)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
    }

    @Test func keepsWhatComesBeforeTheDamage() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        let whole = kiteMessage(.numbered(8, token: Token.infy), .numbered(184, token: Token.infy))
        for count in 12..<whole.count { host.deliver(binary: Array(whole.prefix(count))) }
        #expect(host.tickCount == whole.count - 12)
        #expect(host.metric(FH_M_FRAMES_BAD) == Int64(whole.count - 12))
        host.deliver(binary: whole + [0])
        #expect(host.tickCount == whole.count - 12 + 2)
        #expect(host.metric(FH_M_FRAMES_BAD) == Int64(whole.count - 12 + 1))
    }

    @Test func leavesOutWhatItDoesNotKnow() throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        let odd = Array(repeating: UInt8(1), count: 100)
        host.deliver(
            binary: kiteMessage([
                odd, KitePacket.numbered(8, token: Token.tcs).bytes, [],
                KitePacket.numbered(8, token: Token.infy).bytes,
            ]))
        #expect(host.tickCount == 1)
        #expect(host.metric(FH_M_FRAMES_BAD) == 2, "two packets of odd lengths")
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1, "one of an instrument that nobody wants")
        #expect(host.log.count == 1, "told once")
    }
}
