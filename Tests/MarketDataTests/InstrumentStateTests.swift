import CFeedhostABI
import Testing

@testable import MarketData

@Suite struct InstrumentStateTests {
    private func tick(_ fields: Int..., exponent: Int8 = -2, _ change: (inout fh_tick) -> Void = { _ in }) -> fh_tick {
        var tick = fh_tick()
        tick.instrument = 1
        tick.price_exp = exponent
        tick.fields = fields.reduce(0) { $0 | UInt64($1) }
        tick.ts_recv = 1_760_000_000_001_000_000
        tick.ts_exchange = fh_ts_none()
        change(&tick)
        return tick
    }

    private func json(_ state: InstrumentState, _ mode: Mode, depth: UInt16 = 5, symbol: String? = nil) -> String {
        let encoder = TickEncoder(
            instrument: Instrument(exchange: "NSE", symbol: "SBIN"), mode: mode, depth: depth, symbol: symbol)
        var writer = JSONWriter()
        encoder.encode(state, seq: 9, into: &writer)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func absentIsNotZero() {
        var state = InstrumentState()
        _ = state.merge(tick(Int(FH_F_LTP)) { $0.ltp = 80_055 })
        _ = state.merge(tick(Int(FH_F_VOLUME)) { $0.volume = 12 })
        #expect(
            json(state, .quote)
                == "{\"symbol\":\"SBIN\",\"exchange\":\"NSE\",\"mode\":2,\"ltp\":800.55,\"volume\":12,\"timestamp\":1760000000001,\"seq\":9}"
        )
        #expect(!json(state, .ltp).contains("volume"))
    }

    @Test func withdrawnValuesAreLeftOut() {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_LTP), Int(FH_F_BID)) {
                $0.ltp = 100; $0.bid_px = 99; $0.bid_qty = 5
            })
        #expect(json(state, .quote).contains("bid_price"))
        _ = state.merge(tick(Int(FH_F_BID)) { $0.bid_px = fh_px_none() })
        #expect(!json(state, .quote).contains("bid_price"))
        #expect(json(state, .quote).contains("\"ltp\":1.0"))
    }

    @Test func aSnapshotForgetsWhatItDoesNotHold() {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_LTP), Int(FH_F_OI)) {
                $0.ltp = 100; $0.oi = 7
            })
        _ = state.merge(
            tick(Int(FH_F_LTP)) {
                $0.ltp = 200; $0.flags = UInt16(FH_TF_SNAPSHOT)
            })
        #expect(json(state, .quote).contains("\"ltp\":2.0"))
        #expect(!json(state, .quote).contains("\"oi\""))
    }

    @Test func bothSpellingsAndTheChange() {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_LTP), Int(FH_F_CLOSE), Int(FH_F_LTQ), Int(FH_F_AVG), Int(FH_F_OI)) {
                $0.ltp = 10_100
                $0.close = 10_000
                $0.ltq = 3
                $0.avg_px = 10_050
                $0.oi = 4
            })
        let text = json(state, .quote)
        for part in [
            "\"change\":1.0", "\"change_percent\":1.0", "\"last_quantity\":3", "\"last_trade_quantity\":3",
            "\"average_price\":100.5", "\"avg_trade_price\":100.5", "\"oi\":4", "\"open_interest\":4",
            "\"close\":100.0",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
    }

    @Test func aBookIsPaddedAndCut() {
        var state = InstrumentState()
        let levels = (0..<7).map { fh_level(px: 1000 - Int64($0), qty: 10 + Int64($0), orders: 2, reserved: 0) }
        _ = levels.withUnsafeBufferPointer { levels in
            state.merge(tick(Int(FH_F_BIDS), Int(FH_F_ASKS)), bids: levels, asks: .init(start: nil, count: 0))
        }
        let five = json(state, .depth)
        #expect(five.contains("\"depth_level\":5"))
        #expect(five.contains("{\"price\":9.96,\"quantity\":14,\"orders\":2}]"))
        #expect(!five.contains("9.95"))
        let twenty = json(state, .depth, depth: 20, symbol: "SBIN:20")
        #expect(twenty.contains("\"symbol\":\"SBIN:20\""))
        #expect(twenty.components("\"price\":").count - 1 == 80)
        #expect(twenty.contains("{\"price\":0.0,\"quantity\":0,\"orders\":0}"))
    }

    @Test func theBestBidStandsInUntilABookArrives() {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_BID)) {
                $0.bid_px = 501; $0.bid_qty = 7
            })
        #expect(json(state, .depth).contains("\"buy\":[{\"price\":5.01,\"quantity\":7,\"orders\":0},{\"price\":0.0"))
        _ = state.merge(tick(Int(FH_F_BIDS)))
        #expect(json(state, .depth).contains("\"buy\":[{\"price\":0.0"))
    }

    @Test func aChangedExponentRescales() {
        var state = InstrumentState()
        _ = state.merge(tick(Int(FH_F_LTP)) { $0.ltp = 12_345 })
        _ = state.merge(tick(Int(FH_F_CLOSE), exponent: -4) { $0.close = 1_230_001 })
        let text = json(state, .quote)
        #expect(text.contains("\"ltp\":123.45"))
        #expect(text.contains("\"close\":123.0001"))
        let overflow = state.merge(tick(Int(FH_F_LTP), exponent: 0) { $0.ltp = Int64.max / 2 })
        #expect(overflow == nil)
        #expect(json(state, .quote).contains("\"ltp\":123.45"))
    }

    /// Silver on NSE at four decimals, beyond 2³¹.
    @Test func aPriceBeyondTwoToThe31st() {
        var state = InstrumentState()
        _ = state.merge(tick(Int(FH_F_LTP), exponent: -4) { $0.ltp = 2_685_000_000 })
        #expect(json(state, .ltp).contains("\"ltp\":268500.0,"))
    }

    /// The time belongs to the price beside it: kind, whether a snapshot, fields and time of an update after one at
    /// 1,700,000,000,000 ms; and what is told then.
    @Test(
        arguments: [
            (FH_MODE_LTP, false, FH_F_LTP, 0, nil),
            (FH_MODE_LTP, false, FH_F_LTP, 1_700_000_000_500, 1_700_000_000_500),
            (FH_MODE_QUOTE, false, FH_F_VOLUME, 0, 1_700_000_000_000), (FH_MODE_QUOTE, true, FH_F_VOLUME, 0, nil),
            (FH_MODE_QUOTE, true, FH_F_LTP, 0, nil), (FH_MODE_DEPTH, true, FH_F_LTP, 0, nil),
            (FH_MODE_DEPTH, false, FH_F_BID, 0, 1_700_000_000_000), (FH_MODE_DEPTH, false, FH_F_BIDS, 5_000, 5_000),
            (FH_MODE_DEPTH, true, FH_F_BIDS, 5_000, 5_000),
        ] as [(Int, Bool, Int, UInt64, UInt64?)])
    func theTimeIsThatOfThePrice(kind: Int, isSnapshot: Bool, field: Int, time: UInt64, told: UInt64?) {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_LTP)) {
                $0.ltp = 100; $0.ts_exchange = 1_700_000_000_000_000_000
            })
        _ = state.merge(
            tick(field) {
                $0.kind = UInt16(kind)
                $0.flags = isSnapshot ? UInt16(FH_TF_SNAPSHOT) : 0
                $0.ts_exchange = time == 0 ? fh_ts_none() : time * 1_000_000
            })
        let text = json(state, .depth)
        if let told {
            #expect(text.contains("\"exchange_timestamp\":\(told),"))
        } else {
            #expect(!text.contains("exchange_timestamp"))
        }
    }

    /// What is left of a book of two sides, after an update of that kind which brings those sides.
    @Test(
        arguments: [
            (FH_MODE_DEPTH, true, 0, false, false, false), (FH_MODE_DEPTH, true, FH_F_BIDS, true, true, false),
            (FH_MODE_DEPTH, true, FH_F_ASKS, true, false, true), (FH_MODE_DEPTH, false, 0, true, true, true),
            (FH_MODE_DEPTH, false, FH_F_BIDS, true, true, true), (FH_MODE_QUOTE, true, 0, true, true, true),
            (FH_MODE_LTP, true, 0, true, true, true), (FH_MODE_QUOTE, false, 0, true, true, true),
        ] as [(Int, Bool, Int, Bool, Bool, Bool)])
    func aSnapshotOfDepthHoldsTheBook(
        kind: Int, isSnapshot: Bool, sides: Int, isBook: Bool, hasBids: Bool, hasAsks: Bool
    ) {
        let levels = [fh_level(px: 700, qty: 7, orders: 1, reserved: 0)]
        func merge(_ state: inout InstrumentState, _ update: fh_tick) {
            levels.withUnsafeBufferPointer { levels in
                let none = UnsafeBufferPointer<fh_level>(start: nil, count: 0)
                _ = state.merge(
                    update, bids: update.fields & UInt64(FH_F_BIDS) != 0 ? levels : none,
                    asks: update.fields & UInt64(FH_F_ASKS) != 0 ? levels : none)
            }
        }
        var state = InstrumentState()
        merge(&state, tick(Int(FH_F_LTP), Int(FH_F_BIDS), Int(FH_F_ASKS)) { $0.ltp = 100 })
        merge(
            &state,
            tick(Int(FH_F_LTP), sides) {
                $0.ltp = 200
                $0.kind = UInt16(kind)
                $0.flags = isSnapshot ? UInt16(FH_TF_SNAPSHOT) : 0
            })
        #expect(state.hasBook == isBook)
        #expect((state.bids.count, state.asks.count) == (hasBids ? 1 : 0, hasAsks ? 1 : 0))
        #expect(json(state, .depth).contains("\"depth\"") == isBook)
        #expect(state.isPublishable(.depth), "prices are told without a book too, once it was asked for")
    }

    @Test func depthBeginsWithWhatTheBrokerSendsInDepth() {
        var state = InstrumentState()
        _ = state.merge(
            tick(Int(FH_F_LTP), Int(FH_F_BID), Int(FH_F_ASK)) {
                ($0.ltp, $0.bid_px, $0.bid_qty, $0.ask_px, $0.ask_qty) = (100, 99, 1, 101, 1)
                $0.kind = UInt16(FH_MODE_QUOTE)
            })
        #expect(!state.isPublishable(.depth))
        #expect(state.isPublishable(.quote) && state.isPublishable(.ltp))
        #expect(state.isPublishable(.depth, bookless: true), "an index will never have one")
        _ = state.merge(tick(Int(FH_F_BIDS), Int(FH_F_ASKS)))
        #expect(state.isPublishable(.depth) && state.hasBook)
        state.forgetBook(before: 1_760_000_000_001_000_000)
        #expect(state.isPublishable(.depth), "it has come at that time, not before it")
        state.forgetBook(before: 1_760_000_000_001_000_001)
        #expect(!state.isPublishable(.depth) && !state.hasBook && state.isPublishable(.quote))
        // One that has waited in the ring meanwhile: its prices count, its book does not.
        let late = state.merge(
            tick(Int(FH_F_LTP), Int(FH_F_BIDS), Int(FH_F_ASKS)) {
                ($0.ltp, $0.kind, $0.flags) = (102, UInt16(FH_MODE_DEPTH), UInt16(FH_TF_SNAPSHOT))
            })
        #expect(late == UInt64(FH_F_LTP) && state.tick.ltp == 102)
        #expect(!state.isPublishable(.depth) && !state.hasBook)
        // A clock that was set back by an hour does not keep Depth silent for an hour.
        var other = state
        _ = other.merge(tick(Int(FH_F_BIDS), Int(FH_F_ASKS)) { $0.ts_recv -= 3_600_000_000_000 })
        #expect(other.isPublishable(.depth) && other.hasBook)
        // A broker that sends the best bid and ask alone.
        _ = state.merge(
            tick(Int(FH_F_BID)) {
                ($0.bid_px, $0.bid_qty, $0.kind) = (99, 1, UInt16(FH_MODE_DEPTH))
                $0.ts_recv += 1
            })
        #expect(state.isPublishable(.depth))
    }

    /// Zeros would look like an empty market.
    @Test func anIndexHasNoLevels() {
        var state = InstrumentState()
        _ = state.merge(tick(Int(FH_F_LTP)) { $0.ltp = 2_600_000 })
        var writer = JSONWriter()
        TickEncoder(instrument: Instrument(exchange: "NSE_INDEX", symbol: "NIFTY"), mode: .depth)
            .encode(state, seq: 1, into: &writer)
        let text = writer.withBytes { String(decoding: $0, as: UTF8.self) }
        for key in ["depth_level", "bid_price", "price"] { #expect(!text.contains("\"\(key)\"")) }
        // The official client passes on no Depth message without sides.
        #expect(text.contains("\"depth\":{\"buy\":[],\"sell\":[]},\"bids\":[],\"asks\":[],"))
        #expect(text.contains("\"ltp\":26000.0"))
    }

    @Test func whatIsPublishable() {
        var state = InstrumentState()
        #expect(!state.isPublishable(.depth))
        _ = state.merge(
            tick(Int(FH_F_BID)) {
                $0.bid_px = 1; $0.bid_qty = 1
            })
        #expect(!state.isPublishable(.ltp))
        #expect(state.isPublishable(.quote))
        #expect(TickFields.content(of: .ltp) & UInt64(FH_F_BID) == 0)
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
