import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct NorenDepthTests {
    /// Everything that a `dk` may carry.
    private static let members: [(String, String)] = {
        var members: [(String, String)] = [
            ("ts", "NTPC-EQ"), ("pp", "2"), ("lp", "118.55"), ("pc", "1.32"), ("o", "118.20"), ("h", "118.65"),
            ("l", "118.10"), ("c", "117.00"), ("ap", "118.39"), ("v", "162220"), ("ltt", "11:54:43"), ("ltq", "5"),
            ("tbq", "1000"), ("tsq", "2000"), ("lc", "105.30"), ("uc", "128.70"), ("52h", "152.00"), ("52l", "88.15"),
            ("oi", "70"), ("poi", "60"), ("toi", "90"), ("cp", "117.00"), ("ft", "1638512684"),
        ]
        for level in 1...5 {
            members += [("bp\(level)", "118.\(50 - level)"), ("bq\(level)", "\(level)0"), ("bo\(level)", "\(level)")]
            members += [
                ("sp\(level)", "118.\(50 + level)"), ("sq\(level)", "\(level)5"), ("so\(level)", "\(level + 5)"),
            ]
        }
        return members
    }()

    private func depth() throws -> InMemoryHost {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_DEPTH)
        host.deliver(feed("dk", "NSE|22", Self.members))
        return host
    }

    @Test func decodesASnapshot() throws {
        let host = try depth()
        let tick = try #require(host.ticks.last)
        let record = tick.record
        let missing = FH_F_OI_HIGH | FH_F_OI_LOW | FH_F_TURNOVER
        #expect(record.fields == UInt64((1 << 24) - 1) & ~UInt64(missing))
        #expect((record.kind, record.flags) == (UInt16(FH_MODE_DEPTH), UInt16(FH_TF_SNAPSHOT | FH_TF_LAST)))
        #expect((record.ltq, record.total_buy_qty, record.total_sell_qty) == (5, 1_000, 2_000))
        #expect((record.lower_limit, record.upper_limit) == (10_530, 12_870))
        #expect((record.year_high, record.year_low) == (15_200, 8_815))
        #expect((record.oi, record.oi_prev) == (70, 60))
        // 2021-12-03 11:54:43 in India.
        #expect(record.ts_last_trade == 1_638_512_683_000_000_000)
        #expect((record.bid_px, record.bid_qty, record.ask_px, record.ask_qty) == (11_849, 10, 11_851, 15))
        #expect(
            tick.bids
                == (1...5).map { PublishedLevel(price: 11_850 - $0, quantity: $0 * 10, orders: UInt32($0)) })
        #expect(
            tick.asks
                == (1...5).map { PublishedLevel(price: 11_850 + $0, quantity: $0 * 10 + 5, orders: UInt32($0 + 5)) })
    }

    @Test func aDeltaChangesOneLevelOfOneSide() throws {
        let host = try depth()
        host.deliver(feed("df", "NSE|22", [("bq3", "99"), ("bo3", "7")]))
        let tick = try #require(host.ticks.last)
        #expect(tick.record.fields == UInt64(FH_F_BIDS | FH_F_BID))
        #expect(tick.bids.map(\.quantity) == [10, 20, 99, 40, 50])
        #expect(tick.bids[2] == PublishedLevel(price: 11_847, quantity: 99, orders: 7))
        #expect(tick.record.kind == UInt16(FH_MODE_DEPTH))
    }

    @Test func levelsWithZerosAreNone() throws {
        let host = try depth()
        host.deliver(feed("df", "NSE|22", [("sp4", "0.00"), ("sq4", "0"), ("sq5", "0")]))
        #expect(host.ticks.last?.asks.map(\.price) == [11_851, 11_852, 11_853])
        let zeros = (1...5).flatMap { [("sp\($0)", "0.00"), ("sq\($0)", "0")] }
        host.deliver(feed("df", "NSE|22", zeros))
        #expect(host.ticks.last?.asks == [])
        #expect(host.lastRecord.fields == UInt64(FH_F_ASKS | FH_F_ASK))
        #expect((host.lastRecord.ask_px, host.lastRecord.ask_qty) == (.max, .max))
    }

    @Test func aTradeWithoutBookLeavesTheBook() throws {
        let host = try depth()
        host.deliver(feed("df", "NSE|22", [("lp", "118.60"), ("ltt", "11:54:50"), ("ltq", "3"), ("v", "162223")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP | FH_F_TRADE_TS | FH_F_LTQ | FH_F_VOLUME))
        #expect(host.lastRecord.kind == UInt16(FH_MODE_QUOTE))
        #expect(host.lastRecord.ts_last_trade == 1_638_512_690_000_000_000)
    }

    @Test func theBookIsHeldBackUntilItsSnapshot() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_DEPTH)
        host.deliver(feed("df", "NSE|22", [("bp1", "118.00"), ("bq1", "4"), ("v", "9")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_VOLUME))
        host.deliver(feed("dk", "NSE|22", [("sp1", "118.10"), ("sq1", "5")]))
        let tick = try #require(host.ticks.last)
        #expect((tick.bids, tick.asks) == ([], [PublishedLevel(price: 11_810, quantity: 5)]))
        #expect(tick.record.fields == UInt64(FH_F_BIDS | FH_F_ASKS | FH_F_BID | FH_F_ASK))
    }

    @Test func anIndexHasNoBook() throws {
        let host = try openNoren()
        let wish = host.wish("NSE|26000", FH_MODE_DEPTH, exchange: "NSE_INDEX", symbol: "NIFTY")
        host.subscribe([wish])
        #expect(host.requests.last == #"{"t":"d","k":"NSE|26000"}"#)
        host.deliver(
            feed(
                "dk", "NSE|26000",
                [("pp", "2"), ("lp", "24012.35"), ("pc", "0.2"), ("c", "23950.00"), ("ft", "1638512684")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP | FH_F_CLOSE))
        #expect((host.lastRecord.ltp, host.lastRecord.close) == (2_401_235, 2_395_000))
        #expect(host.results.last?.outcome == UInt32(FH_SUB_ACKED))
        host.deliver(feed("df", "NSE|26000", [("lp", "24013.00")]))
        #expect(host.lastRecord.kind == UInt16(FH_MODE_LTP))
    }

    @Test func theDayOfATradeIsThatOfTheFeed() throws {
        let host = try depth()
        func tradeTime(_ members: [(String, String)]) -> UInt64? {
            host.deliver(feed("df", "NSE|22", members + [("ltq", "1")]))
            return host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS)
        }
        // 00:10 on the 4th in India, and a trade of that day.
        #expect(tradeTime([("ft", "1638556800"), ("ltt", "00:09:59")]) == 1_638_556_799_000_000_000)
        // Later than the feed is: on a day that the wire does not name.
        #expect(tradeTime([("ft", "1638556800"), ("ltt", "23:54:59")]) == nil)
        #expect(tradeTime([("ltt", "00:00:00")]) == nil)
        #expect(tradeTime([("ltt", "")]) == nil)
        #expect(host.metrics.isEmpty)
        #expect(tradeTime([("ltt", "25:00:00")]) == nil)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1)
        // The feed's clock goes on between two feed times.
        for _ in 0..<60 {
            host.advance(by: .seconds(60))
            host.deliver(#"{"t":"hk","hk":"1638560400"}"#)
        }
        #expect(tradeTime([("ltt", "01:09:58")]) == 1_638_560_398_000_000_000)
    }

    /// Random messages of both feeds against a second, slow reading of the field table.
    @Test func everyFieldArrives() throws {
        let host = try openNoren()
        host.want(["NFO|35000"], FH_MODE_DEPTH)
        host.deliver(feed("dk", "NFO|35000", [("pp", "2")]))
        var random = SeededNumbers(seed: 7)
        var values = 0
        for _ in 0..<400 {
            let carried = Expected.scalars.filter { _ in Bool.random(using: &random) }
            var members: [(String, String)] = []
            var numbers: [Int64] = []
            for field in carried {
                let number = Int64.random(in: 1...99_999_999, using: &random)
                numbers.append(number)
                members.append((field.name, field.isPrice ? Expected.rupees(number) : "\(number)"))
            }
            host.deliver(feed("df", "NFO|35000", members.shuffled(using: &random)))
            guard !carried.isEmpty else { continue }
            let record = host.lastRecord
            #expect(record.fields == carried.reduce(UInt64(0)) { $0 | UInt64($1.bit) })
            for (field, number) in zip(carried, numbers) {
                #expect(record[keyPath: field.path] == number, "\(field.name)")
            }
            values += carried.count
        }
        #expect(values > 2_000)
        #expect(host.metrics.isEmpty)
    }
}

/// The sheet's field table, for the test's own reading.
private struct Expected {
    let name: String
    let bit: Int
    let path: any KeyPath<fh_tick, Int64> & Sendable
    var isPrice = true

    static let scalars = [
        Expected(name: "lp", bit: FH_F_LTP, path: \.ltp), Expected(name: "ap", bit: FH_F_AVG, path: \.avg_px),
        Expected(name: "o", bit: FH_F_OPEN, path: \.open), Expected(name: "h", bit: FH_F_HIGH, path: \.high),
        Expected(name: "l", bit: FH_F_LOW, path: \.low), Expected(name: "c", bit: FH_F_CLOSE, path: \.close),
        Expected(name: "uc", bit: FH_F_UPPER_LIMIT, path: \.upper_limit),
        Expected(name: "lc", bit: FH_F_LOWER_LIMIT, path: \.lower_limit),
        Expected(name: "52h", bit: FH_F_YEAR_HIGH, path: \.year_high),
        Expected(name: "52l", bit: FH_F_YEAR_LOW, path: \.year_low),
        Expected(name: "v", bit: FH_F_VOLUME, path: \.volume, isPrice: false),
        Expected(name: "ltq", bit: FH_F_LTQ, path: \.ltq, isPrice: false),
        Expected(name: "tbq", bit: FH_F_TOTAL_BUY, path: \.total_buy_qty, isPrice: false),
        Expected(name: "tsq", bit: FH_F_TOTAL_SELL, path: \.total_sell_qty, isPrice: false),
        Expected(name: "oi", bit: FH_F_OI, path: \.oi, isPrice: false),
        Expected(name: "poi", bit: FH_F_OI_PREV, path: \.oi_prev, isPrice: false),
    ]

    static func rupees(_ paise: Int64) -> String {
        "\(paise / 100)." + (paise % 100 < 10 ? "0" : "") + "\(paise % 100)"
    }
}
