import CFeedhostABI
import MarketData

/// A tick into the last value, and that into JSON.
var encoderBenchmarks: [Benchmark] {
    [
        Benchmark(name: "last value: merge a quote tick", limit: 100) {
            var state = InstrumentState()
            let tick = quoteTick(handle: 1)
            return { repetitions in
                for step in 0..<repetitions {
                    var next = tick
                    next.ltp = 118_775 &+ Int64(step & 0xFF)
                    _ = state.merge(next)
                }
            }
        },
        encoding(.ltp, limit: 200), encoding(.quote, limit: 600), encoding(.depth, limit: 1_500),
    ]
}

private func encoding(_ mode: Mode, limit: Double) -> Benchmark {
    Benchmark(name: "encoder: \(mode.label)", limit: limit) {
        var state = InstrumentState()
        var levels = [fh_level](repeating: fh_level(), count: 5)
        for place in levels.indices {
            levels[place].px = 118_770 - Int64(place) * 5
            levels[place].qty = 1_000
            levels[place].orders = 12
        }
        var tick = quoteTick(handle: 1)
        tick.fields |= UInt64(FH_F_BIDS) | UInt64(FH_F_ASKS)
        levels.withUnsafeBufferPointer { _ = state.merge(tick, bids: $0, asks: $0) }
        let encoder = TickEncoder(instrument: Instrument(exchange: "NSE", symbol: "RELIANCE"), mode: mode)
        return { repetitions in
            var writer = JSONWriter()
            for step in 0..<repetitions { encoder.encode(state, seq: UInt64(step), into: &writer) }
        }
    }
}

/// Last price, the day's prices, and what a Quote carries besides.
func quoteTick(handle: UInt32) -> fh_tick {
    var tick = fh_tick()
    tick.instrument = handle
    (tick.price_exp, tick.qty_exp) = (-2, 0)
    (tick.ltp, tick.open, tick.high, tick.low, tick.close) = (118_775, 117_900, 119_200, 117_510, 118_005)
    (tick.volume, tick.ltq, tick.avg_px) = (4_518_220, 25, 118_412)
    tick.fields =
        UInt64(FH_F_LTP) | UInt64(FH_F_OPEN) | UInt64(FH_F_HIGH) | UInt64(FH_F_LOW) | UInt64(FH_F_CLOSE)
        | UInt64(FH_F_VOLUME) | UInt64(FH_F_LTQ) | UInt64(FH_F_AVG)
    tick.ts_recv = 1_763_900_000_000_000_000
    tick.ts_exchange = tick.ts_recv
    return tick
}
