/// Futures and options of every exchange.
///
/// Tokens of currencies and commodities are those of shares elsewhere on purpose: they are unique in an exchange only.
enum Derivatives {
    private struct Series {
        var segment: Segment
        var root: String
        var name: String
        var tick: Int64
        var lot: Int64
        var price: Int64
        /// Tokens count up from here: near future, far future, then calls and puts.
        var token: UInt32
        var strikes: [Int64] = []
    }

    static func all(near: CalendarDay, far: CalendarDay) -> [SimulatedInstrument] {
        series.flatMap { instruments(of: $0, near: near, far: far) }
    }

    private static let series: [Series] = [
        Series(
            segment: .nfo, root: "NIFTY", name: "NIFTY", tick: 5, lot: 65, price: 2_618_500, token: 37_054,
            strikes: [2_600_000, 2_620_000]),
        Series(
            segment: .nfo, root: "BANKNIFTY", name: "BANKNIFTY", tick: 20, lot: 30, price: 5_851_260, token: 37_154,
            strikes: [5_850_000]),
        Series(
            segment: .nfo, root: "INFY", name: "INFY", tick: 10, lot: 400, price: 157_210, token: 37_254,
            strikes: [156_000, 157_250]),
        Series(
            segment: .bfo, root: "SENSEX", name: "SENSEX", tick: 5, lot: 20, price: 8_533_075, token: 825_565,
            strikes: [8_500_000]),
        Series(
            segment: .cds, root: "USDINR", name: "USDINR", tick: 25, lot: 1_000, price: 886_125, token: 1_594,
            strikes: [885_000, 887_500]),
        Series(segment: .cds, root: "JPYINR", name: "JPYINR", tick: 25, lot: 1_000, price: 571_250, token: 2_885),
        Series(segment: .bcd, root: "USDINR", name: "USDINR", tick: 25, lot: 1_000, price: 886_200, token: 1_149_001),
        Series(
            segment: .mcx, root: "CRUDEOIL", name: "CRUDEOIL", tick: 100, lot: 100, price: 534_500, token: 500_325,
            strikes: [530_000]),
        Series(segment: .mcx, root: "GOLD", name: "GOLD", tick: 100, lot: 100, price: 12_431_500, token: 466_583),
        // At the four decimals of Kite's wire a number beyond 2³¹.
        Series(segment: .nco, root: "SILVER", name: "SILVER", tick: 100, lot: 30, price: 26_850_000, token: 11_536),
        Series(
            segment: .ncdex, root: "JEERAUNJHA", name: "JEERAUNJHA", tick: 500, lot: 30, price: 2_105_500,
            token: 2_885),
        Series(
            segment: .ncdex, root: "GUARSEED10", name: "GUARSEED10", tick: 100, lot: 50, price: 520_300, token: 3_045),
    ]

    private static func instruments(
        of series: Series, near: CalendarDay, far: CalendarDay
    ) -> [SimulatedInstrument] {
        var token = series.token
        func make(_ contract: SimulatedInstrument.Contract, _ price: Int64) -> SimulatedInstrument {
            defer { token += 1 }
            return SimulatedInstrument(
                segment: series.segment, token: token, root: series.root, name: series.name, contract: contract,
                tickSize: series.tick, lotSize: series.lot, basePrice: price)
        }
        var list = [
            make(.future(expiry: near), series.price), make(.future(expiry: far), series.price * 1_005 / 1_000),
        ]
        for strike in series.strikes {
            // What it would be worth today, and something for the time.
            let time = series.price / 100
            list.append(
                make(.option(expiry: near, strike: strike, right: .call), max(0, series.price - strike) + time))
            list.append(
                make(.option(expiry: near, strike: strike, right: .put), max(0, strike - series.price) + time))
        }
        return list
    }
}
