import AdapterTestKit
import CFeedhostABI
import Testing

/// Every field of every mode, against numbers that were written to the documented offsets.
@Suite struct AngelPacketTests {
    @Test func decodesTheGoldenPacket() throws {
        let host = try openAngel()
        host.settled([host.share("10626", FH_MODE_LTP)])
        let token: [UInt8] = Array("10626".utf8) + Array(repeating: 0, count: 20)
        let bytes: [UInt8] =
            [0x01, 0x01] + token + [7, 0, 0, 0, 0, 0, 0, 0] + [0x00, 0x68, 0xE5, 0xCF, 0x8B, 0x01, 0, 0]
            + [0x10, 0x2A, 0x02, 0, 0, 0, 0, 0]
        #expect(bytes.count == 51)
        host.deliver(bytes, opcode: FH_WS_BINARY)
        let record = try #require(host.ticks.last).record
        #expect(record.ltp == 141_840 && record.price_exp == -2)
        #expect(record.sequence == 7)
        #expect(record.ts_exchange == 1_700_000_000_000_000_000)
        #expect(record.ts_recv == host.now)
        #expect(record.fields == UInt64(FH_F_LTP))
        #expect(record.kind == UInt16(FH_MODE_LTP))
        #expect(record.flags == UInt16(FH_TF_LAST))
    }

    static let segments: [(UInt8, String, Int8)] = [
        (1, "NSE", -2), (2, "NFO", -2), (3, "BSE", -2), (4, "BFO", -2), (5, "MCX", -2), (7, "NCDEX", -2),
        (13, "CDS", -7),
    ]

    @Test(arguments: segments) func decodesEveryField(segment: UInt8, exchange: String, exponent: Int8) throws {
        var random = SeededNumbers(seed: UInt64(segment))
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5, on: exchange)])
        for mode in [1, 2, 3] as [UInt8] {
            for _ in 0..<50 {
                let wire = WireRecord(random: &random)
                host.deliver(wire.packet(mode, segment: segment, token: "42"))
                let tick = try #require(host.ticks.last)
                check(tick, wire, mode: mode, exponent: exponent, hasInterest: segment != 1 && segment != 3)
            }
        }
        #expect(host.tickCount == 150)
        #expect(host.metrics.isEmpty)
    }

    private func check(_ tick: PublishedTick, _ wire: WireRecord, mode: UInt8, exponent: Int8, hasInterest: Bool) {
        #expect(tick.record.price_exp == exponent && tick.record.qty_exp == 0)
        #expect(tick.record.kind == [UInt16(FH_MODE_LTP), UInt16(FH_MODE_QUOTE), UInt16(FH_MODE_DEPTH)][Int(mode) - 1])
        #expect(tick.record.sequence == UInt64(wire.sequence))
        #expect(tick.record.ts_exchange == UInt64(wire.exchangeTime) * 1_000_000)
        var fields = FH_F_LTP
        #expect(tick.record.ltp == wire.last)
        if mode >= 2 {
            fields |= FH_F_LTQ | FH_F_AVG | FH_F_VOLUME | FH_F_TOTAL_BUY | FH_F_TOTAL_SELL
            fields |= FH_F_OPEN | FH_F_HIGH | FH_F_LOW | FH_F_CLOSE
            #expect(tick.record.ltq == wire.lastQuantity)
            #expect(tick.record.avg_px == wire.average)
            #expect(tick.record.volume == wire.volume)
            #expect(Double(tick.record.total_buy_qty) == wire.totalBuy)
            #expect(Double(tick.record.total_sell_qty) == wire.totalSell)
            #expect((tick.record.open, tick.record.high) == (wire.open, wire.high))
            #expect((tick.record.low, tick.record.close) == (wire.low, wire.close))
        }
        if mode == 3 {
            fields |= FH_F_TRADE_TS | FH_F_UPPER_LIMIT | FH_F_LOWER_LIMIT | FH_F_YEAR_HIGH | FH_F_YEAR_LOW
            fields |= FH_F_BID | FH_F_ASK | FH_F_BIDS | FH_F_ASKS
            #expect(tick.record.ts_last_trade == UInt64(wire.tradeTime) * 1_000_000_000)
            #expect((tick.record.upper_limit, tick.record.lower_limit) == (wire.upper, wire.lower))
            #expect((tick.record.year_high, tick.record.year_low) == (wire.yearHigh, wire.yearLow))
            if hasInterest {
                fields |= FH_F_OI
                #expect(tick.record.oi == wire.openInterest)
            }
            #expect(tick.bids == wire.bids && tick.asks == wire.asks)
            #expect((tick.record.bid_px, tick.record.bid_qty) == (wire.bids[0].price, wire.bids[0].quantity))
            #expect((tick.record.ask_px, tick.record.ask_qty) == (wire.asks[0].price, wire.asks[0].quantity))
        }
        #expect(tick.record.fields == UInt64(fields))
        // Only a packet of the mode that is subscribed holds all that is known.
        #expect(tick.record.flags == UInt16(mode == 3 ? FH_TF_LAST | FH_TF_SNAPSHOT : FH_TF_LAST))
    }

    @Test func marksAQuoteAsASnapshotWhenItIsWhatWasAskedFor() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_QUOTE)])
        host.deliver(WireRecord().packet(2, token: "42"))
        host.deliver(WireRecord().packet(1, token: "42"))
        #expect(host.ticks.map(\.record.flags) == [UInt16(FH_TF_LAST | FH_TF_SNAPSHOT), UInt16(FH_TF_LAST)])
    }

    /// OpenAlgo divides currencies by 100 and reads the day's figures in Depth under names that do not exist.
    @Test func scalesCurrenciesAndKeepsTheDaysFiguresInDepth() throws {
        let host = try openAngel()
        host.settled([host.share("9", FH_MODE_DEPTH, depth: 5, on: "CDS")])
        var wire = WireRecord()
        (wire.last, wire.open) = (832_525_000, 831_000_000)
        host.deliver(wire.packet(3, segment: 13, token: "9"))
        let tick = try #require(host.ticks.last)
        #expect(tick.record.price_exp == -7)
        #expect(tick.value(\.ltp, FH_F_LTP) == 832_525_000)
        #expect(tick.value(\.open, FH_F_OPEN) == 831_000_000)
    }

    @Test func leavesOutWhatTheWireWritesAsZero() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5, on: "NFO")])
        host.deliver(WirePacket(3, segment: 2, token: "42"))
        let tick = try #require(host.ticks.last)
        // A day without trades: quantities are really 0, prices and times are not there, and the book is empty.
        let zeros = FH_F_VOLUME | FH_F_TOTAL_BUY | FH_F_TOTAL_SELL | FH_F_OI
        #expect(tick.record.fields == UInt64(zeros | FH_F_BID | FH_F_ASK | FH_F_BIDS | FH_F_ASKS))
        #expect((tick.record.volume, tick.record.oi, tick.record.total_buy_qty) == (0, 0, 0))
        #expect((tick.record.bid_px, tick.record.ask_px) == (.max, .max))
        #expect(tick.bids.isEmpty && tick.asks.isEmpty)
        #expect(tick.record.ts_exchange == .max)
        #expect(tick.record.flags & UInt16(FH_TF_BAD_TS) == 0)
    }

    @Test func saysNothingBeforeTheFirstTrade() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_LTP)])
        host.deliver(WirePacket(1, token: "42"))
        #expect(host.tickCount == 0)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1)
    }

    @Test func publishesIndicesWithoutWhatTheyDoNotHave() throws {
        let host = try openAngel()
        host.settled([host.share("99926000", FH_MODE_DEPTH, depth: 5, on: "NSE_INDEX", segment: "NSE")])
        var wire = WireRecord()
        (wire.average, wire.upper, wire.lower, wire.openInterest, wire.volume, wire.lastQuantity) = (0, 0, 0, 0, 0, 0)
        (wire.totalBuy, wire.totalSell, wire.tradeTime, wire.sequence) = (0, 0, 0, 4_711)
        (wire.bids, wire.asks) = ([], [])
        host.deliver(wire.packet(3, token: "99926000"))
        let tick = try #require(host.ticks.last)
        let prices = FH_F_LTP | FH_F_OPEN | FH_F_HIGH | FH_F_LOW | FH_F_CLOSE | FH_F_YEAR_HIGH | FH_F_YEAR_LOW
        #expect(tick.record.fields == UInt64(prices))
        #expect(tick.record.ltp == 141_840 && tick.record.price_exp == -2)
        #expect(tick.record.sequence == .max)
        #expect(tick.record.ts_exchange == 1_700_000_000_000_000_000)
    }

    @Test(arguments: [(1_699_999_999, 1_699_999_999_000_000_000), (1_699_999_999_123, 1_699_999_999_123_000_000)])
    func readsTheTimeOfTheLastTradeInSecondsOrMilliseconds(wire: Int64, expected: UInt64) throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5)])
        host.deliver(WireRecord().packet(3, token: "42").with(wire, at: 123))
        // The exchange's time is another one: OpenAlgo takes it for the last trade.
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) == expected)
        #expect(host.ticks.last?.record.ts_exchange == 1_700_000_000_000_000_000)
    }

    @Test(arguments: [Int64.min, -1, 10_000_000_000_000, Int64.max])
    func marksTimesThatAreNone(time: Int64) throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_LTP)])
        host.deliver(WireRecord().packet(1, token: "42").with(time, at: 35))
        let record = try #require(host.ticks.last).record
        #expect(record.ts_exchange == .max && record.flags & UInt16(FH_TF_BAD_TS) != 0)
        #expect(record.ltp == 141_840)
    }

    @Test(arguments: [Double.nan, .infinity, -1, 1e300, -.infinity])
    func leavesOutTotalsThatAreNoQuantity(total: Double) throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_QUOTE)])
        var packet = WireRecord().packet(2, token: "42")
        packet.put(total, at: 75)
        host.deliver(packet)
        let tick = try #require(host.ticks.last)
        #expect(!tick.holds(FH_F_TOTAL_BUY) && tick.value(\.total_sell_qty, FH_F_TOTAL_SELL) == 6)
    }

    @Test(arguments: [Int64.max, Int64.min, 100_000_000_000_000_001]) func leavesOutNumbersThatAreDamage(value: Int64)
        throws
    {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_QUOTE)])
        host.deliver(WireRecord().packet(2, token: "42").with(value, at: 43).with(value, at: 67))
        let tick = try #require(host.ticks.last)
        #expect(!tick.holds(FH_F_LTP) && !tick.holds(FH_F_VOLUME) && tick.holds(FH_F_OPEN))
    }

    @Test func skipsEmptyPlacesOfTheBook() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5)])
        var wire = WireRecord()
        wire.bids = Array(wire.bids.prefix(2))
        wire.asks[0].quantity = 0
        host.deliver(wire.packet(3, token: "42"))
        let tick = try #require(host.ticks.last)
        #expect(tick.bids == wire.bids)
        #expect(tick.asks == Array(wire.asks.dropFirst()))
        #expect(tick.record.ask_px == wire.asks[1].price)
    }

    @Test func leavesOutABookThatContradictsItself() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5)])
        var packet = WireRecord().packet(3, token: "42")
        packet.put(UInt16(0), at: 167)  // the second bid says "sell"
        host.deliver(packet)
        host.deliver(packet)
        #expect(host.ticks.count == 2)
        for tick in host.ticks {
            #expect(!tick.holds(FH_F_BIDS) && !tick.holds(FH_F_ASKS) && !tick.holds(FH_F_BID) && !tick.holds(FH_F_ASK))
            #expect(tick.value(\.ltp, FH_F_LTP) == 141_840)
        }
        #expect(host.metric(FH_M_FRAMES_BAD) == 2)
        #expect(host.log.count == 1)
    }
}
