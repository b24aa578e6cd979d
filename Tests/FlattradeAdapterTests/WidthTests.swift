import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

/// Every number of a message at the edges of 32 bits and beyond, in every segment, with its precision.
@Suite struct NorenWidthTests {
    private static let edges: [Int64] = [
        0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 53, 999_999_999_999_999_999,
    ]
    private static let segments = [("NSE", 2), ("BSE", 2), ("NFO", 2), ("BFO", 2), ("CDS", 4), ("MCX", 2), ("NCX", 2)]

    private let prices: [(String, Int, KeyPath<fh_tick, Int64>)] = [
        ("lp", FH_F_LTP, \.ltp), ("ap", FH_F_AVG, \.avg_px), ("o", FH_F_OPEN, \.open), ("h", FH_F_HIGH, \.high),
        ("l", FH_F_LOW, \.low), ("c", FH_F_CLOSE, \.close), ("uc", FH_F_UPPER_LIMIT, \.upper_limit),
        ("lc", FH_F_LOWER_LIMIT, \.lower_limit), ("52h", FH_F_YEAR_HIGH, \.year_high),
        ("52l", FH_F_YEAR_LOW, \.year_low),
    ]
    private let quantities: [(String, Int, KeyPath<fh_tick, Int64>)] = [
        ("v", FH_F_VOLUME, \.volume), ("ltq", FH_F_LTQ, \.ltq), ("tbq", FH_F_TOTAL_BUY, \.total_buy_qty),
        ("tsq", FH_F_TOTAL_SELL, \.total_sell_qty), ("oi", FH_F_OI, \.oi), ("poi", FH_F_OI_PREV, \.oi_prev),
    ]

    /// A mantissa as the server writes it.
    private static func text(_ mantissa: Int64, _ decimals: Int) -> String {
        guard decimals > 0 else { return "\(mantissa)" }
        let digits = String(repeating: "0", count: max(0, decimals + 1 - "\(mantissa)".count)) + "\(mantissa)"
        return "\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
    }

    private func open(_ exchange: String, _ decimals: Int) throws -> InMemoryHost {
        let host = try openNoren()
        host.want(["\(exchange)|22"], FH_MODE_DEPTH)
        host.deliver(feed("dk", "\(exchange)|22", [("pp", "\(decimals)"), ("v", "1"), ("ft", "1638512684")]))
        return host
    }

    @Test func everyValueOfEverySegmentAtItsEdges() throws {
        for (exchange, decimals) in Self.segments {
            let host = try open(exchange, decimals)
            for edge in Self.edges {
                for (name, bit, path) in prices {
                    host.deliver(feed("df", "\(exchange)|22", [(name, Self.text(edge, decimals)), ("pc", "1")]))
                    // A price of zero is how the broker says that there is none.
                    guard edge != 0 else { continue }
                    #expect(host.ticks.last?.value(path, bit) == edge, "\(exchange) \(name) \(edge)")
                    #expect(host.lastRecord.price_exp == -Int8(decimals))
                }
                for (name, bit, path) in quantities {
                    host.deliver(feed("df", "\(exchange)|22", [(name, Self.text(edge, 0))]))
                    #expect(host.ticks.last?.value(path, bit) == edge, "\(exchange) \(name) \(edge)")
                }
            }
            #expect(host.metrics.isEmpty)
        }
    }

    @Test func everyLevelAtItsEdges() throws {
        let host = try open("CDS", 4)
        for edge in Self.edges.dropFirst() {
            for level in 1...5 {
                for (price, quantity, orders) in [("bp", "bq", "bo"), ("sp", "sq", "so")] {
                    let zeros = (1...5).map { ("\(price)\($0)", "0.0000") }
                    host.deliver(feed("df", "CDS|22", zeros))
                    host.deliver(
                        feed(
                            "df", "CDS|22",
                            [
                                ("\(price)\(level)", Self.text(edge, 4)), ("\(quantity)\(level)", "\(edge)"),
                                ("\(orders)\(level)", "\(edge)"),
                            ]))
                    let wanted = PublishedLevel(price: edge, quantity: edge, orders: UInt32(clamping: edge))
                    let tick = try #require(host.ticks.last)
                    #expect((price == "bp" ? tick.bids : tick.asks) == [wanted], "\(price)\(level) \(edge)")
                }
            }
        }
        #expect(host.metrics.isEmpty)
    }

    /// Futures on MCX have been below zero, and in text nothing stands in the way.
    @Test func aPriceBelowZero() throws {
        let host = try open("MCX", 2)
        host.deliver(feed("df", "MCX|22", [("lp", "-2884.00")]))
        #expect(host.lastRecord.ltp == -288_400)
    }

    @Test(
        arguments: [
            ("0", nil), ("1", nil), ("315532800", nil), ("631151999", nil), ("631152000", 631_152_000),
            ("2147483647", 2_147_483_647), ("2147483648", 2_147_483_648), ("4294967295", 4_294_967_295),
            ("10000000000", nil), ("-1", nil),
        ] as [(String, UInt64?)])
    func feedTimes(text: String, seconds: UInt64?) throws {
        let host = try open("NSE", 2)
        host.deliver(feed("df", "NSE|22", [("lp", "1.00"), ("ft", text)]))
        #expect(host.lastRecord.ts_exchange == seconds.map { $0 * 1_000_000_000 } ?? .max)
    }
}

/// When a time is told and when it is not: a day without volume has no trade, and what is not told has no time.
@Suite struct NorenTimeTests {
    /// 11:54:44 in India.
    private static let noon: (String, String) = ("ft", "1638512684")

    /// Volume in the snapshot, in the delta, and whether the delta's trade time counts.
    @Test(
        arguments: [
            (nil, nil, false), ("0", nil, false), ("", nil, false), ("-", nil, false), ("0.00", nil, false),
            ("5", nil, true), (nil, "7", true), ("0", "7", true), ("5", "0", false), ("5", "", true), ("5", "x", true),
        ] as [(String?, String?, Bool)])
    func aTradeTimeNeedsAVolume(before: String?, now: String?, isTold: Bool) throws {
        for isIndexed in [false, true] {
            let host = try openNoren()
            host.want(["NSE|22"], FH_MODE_DEPTH)
            var snapshot = [("lp", "118.55"), ("ltt", "11:54:43"), Self.noon]
            if let before { snapshot.append(("v", before)) }
            host.deliver(feed("dk", "NSE|22", isIndexed ? snapshot.reversed() : snapshot))
            let first = host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS)
            #expect((first != nil) == (before == "5"), "the snapshot")
            var delta = [("ltt", "11:54:44"), ("ltq", "1")]
            if let now { delta.append(("v", now)) }
            host.deliver(feed("df", "NSE|22", isIndexed ? delta.reversed() : delta))
            let last = host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS)
            #expect(last == (isTold ? 1_638_512_684_000_000_000 : nil), "the delta")
        }
    }

    @Test func aNewSnapshotForgetsTheVolumeOfTheOldOne() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_DEPTH)
        host.deliver(feed("dk", "NSE|22", [("v", "5"), ("ltt", "11:54:43"), Self.noon]))
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) != nil)
        host.deliver(feed("dk", "NSE|22", [("lp", "1.00"), ("ltt", "11:54:43"), Self.noon]))
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) == nil)
    }

    /// On a holiday a snapshot shows the last day's volume and trade; without a feed time nothing says which day that is.
    @Test func aSnapshotWithoutFeedTimeHasNoDay() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_DEPTH)
        host.deliver(feed("dk", "NSE|22", [("v", "5"), ("ltt", "00:00:01")]))
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) == nil)
        // A trade that is told by itself has just happened.
        host.deliver(feed("df", "NSE|22", [("ltt", "00:00:01"), ("ltq", "3")]))
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) != nil)
    }

    /// A delta leaves out what has not changed, and a feed time changes every second.
    @Test func theFeedTimeLastsForItsSecond() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_QUOTE)
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00"), Self.noon]))
        host.advance(by: .milliseconds(900))
        host.deliver(feed("tf", "NSE|22", [("lp", "1.05")]))
        #expect(host.lastRecord.ts_exchange == 1_638_512_684_000_000_000)
        host.advance(by: .milliseconds(1_200))
        host.deliver(feed("tf", "NSE|22", [("lp", "1.10")]))
        #expect(host.lastRecord.ts_exchange == .max)
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00"), Self.noon]))
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00")]))
        #expect(host.lastRecord.ts_exchange == .max, "a snapshot without a time has none")
    }
}
