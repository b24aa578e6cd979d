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
