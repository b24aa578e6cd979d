import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI
import Testing

/// Every number of every packet at the edges of 32 bits and of its own, in every segment.
@Suite struct AngelWidthTests {
    /// Beyond the last but one a number is damage: see the adapter's bound.
    private static let edges: [Int64] = [
        0, 1, -1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 1 << 53, 100_000_000_000_000_000,
        100_000_000_000_000_001, .max, .min,
    ]
    private static let segments: [(code: UInt8, exchange: String, exponent: Int8)] = [
        (1, "NSE", -2), (2, "NFO", -2), (3, "BSE", -2), (4, "BFO", -2), (5, "MCX", -2), (7, "NCDEX", -2),
        (13, "CDS", -7),
    ]

    private enum Kind {
        case price, quantity, positive, total
    }

    private let fields: [(offset: Int, kind: Kind, bit: Int, path: KeyPath<fh_tick, Int64>)] = [
        (43, .price, FH_F_LTP, \.ltp), (51, .positive, FH_F_LTQ, \.ltq), (59, .price, FH_F_AVG, \.avg_px),
        (67, .quantity, FH_F_VOLUME, \.volume), (75, .total, FH_F_TOTAL_BUY, \.total_buy_qty),
        (83, .total, FH_F_TOTAL_SELL, \.total_sell_qty), (91, .price, FH_F_OPEN, \.open),
        (99, .price, FH_F_HIGH, \.high), (107, .price, FH_F_LOW, \.low), (115, .price, FH_F_CLOSE, \.close),
        (131, .quantity, FH_F_OI, \.oi), (347, .price, FH_F_UPPER_LIMIT, \.upper_limit),
        (355, .price, FH_F_LOWER_LIMIT, \.lower_limit), (363, .price, FH_F_YEAR_HIGH, \.year_high),
        (371, .price, FH_F_YEAR_LOW, \.year_low),
    ]

    private static func expected(_ value: Int64, _ kind: Kind) -> Int64? {
        let bound: Int64 = 100_000_000_000_000_000
        switch kind {
        case .price: return value == 0 || value > bound || value < -bound ? nil : value
        case .quantity: return value < 0 || value > bound ? nil : value
        case .positive: return value <= 0 || value > bound ? nil : value
        case .total:
            // As a binary fraction, whose neighbours are 16 apart there.
            let number = Double(value)
            return number < 0 || number > Double(bound) ? nil : Int64(number)
        }
    }

    @Test func everyFieldOfEverySegmentAtItsEdges() throws {
        for segment in Self.segments {
            let host = try openAngel()
            host.settled([host.share("42", FH_MODE_DEPTH, depth: 5, on: segment.exchange)])
            for field in fields {
                for edge in Self.edges {
                    var packet = WireRecord().packet(3, segment: segment.code, token: "42")
                    if field.kind == .total {
                        packet.put(Double(edge), at: field.offset)
                    } else {
                        packet.put(edge, at: field.offset)
                    }
                    host.deliver(packet)
                    let tick = try #require(host.ticks.last)
                    let isShare = segment.code == 1 || segment.code == 3
                    let wanted = isShare && field.bit == FH_F_OI ? nil : Self.expected(edge, field.kind)
                    #expect(
                        tick.value(field.path, field.bit) == wanted && tick.record.price_exp == segment.exponent,
                        "\(segment.exchange), offset \(field.offset), \(edge)")
                }
            }
        }
    }

    @Test func everyLevelOfFiveAtItsEdges() throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5, on: "MCX")])
        for level in 0..<10 {
            for edge in Self.edges {
                var packet = WireRecord().packet(3, segment: 5, token: "42")
                packet.put(edge, at: 147 + 20 * level + 2)
                packet.put(edge, at: 147 + 20 * level + 10)
                packet.put(UInt16.max, at: 147 + 20 * level + 18)
                host.deliver(packet)
                let tick = try #require(host.ticks.last)
                let side = level < 5 ? tick.bids : tick.asks
                let isThere = (Self.expected(edge, .positive)) != nil
                #expect(side.count == (isThere ? 5 : 4), "level \(level), \(edge)")
                if isThere {
                    #expect(side[level % 5] == PublishedLevel(price: edge, quantity: edge, orders: 65_535))
                }
            }
        }
    }

    /// Twenty levels are packed into 32 bits. Shares are never below zero.
    @Test(arguments: [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32])
    func everyLevelOfTwentyAtItsEdges(edge: UInt32) throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 20)])
        for level in 0..<40 {
            var packet = WireBook().packet(token: "42")
            packet.put(edge, at: 43 + 10 * level)
            packet.put(edge, at: 43 + 10 * level + 4)
            packet.put(Int16.max, at: 43 + 10 * level + 8)
            host.deliver(packet)
            let tick = try #require(host.ticks.last)
            let side = level < 20 ? tick.bids : tick.asks
            #expect(side.count == (edge == 0 ? 19 : 20))
            guard edge != 0 else { continue }
            #expect(side[level % 20] == PublishedLevel(price: Int64(edge), quantity: Int64(edge), orders: 32_767))
        }
    }

    /// In seconds: 0, the zeros of Unix's and NSE's clocks, and the edges of 32 bits.
    @Test(
        arguments: [
            (0, nil), (1, nil), (315_532_800, nil), (631_151_999, nil), (631_152_000, 631_152_000),
            (0x7FFF_FFFF, 0x7FFF_FFFF), (0x8000_0000, 0x8000_0000), (0xFFFF_FFFF, 0xFFFF_FFFF), (10_000_000_000, nil),
            (1_700_000_000_000, 1_700_000_000), (10_000_000_000_000, nil), (-1, nil), (.max, nil), (.min, nil),
        ] as [(Int64, UInt64?)])
    func timesOfTrades(wire: Int64, seconds: UInt64?) throws {
        let host = try openAngel()
        host.settled([host.share("42", FH_MODE_DEPTH, depth: 5)])
        host.deliver(WireRecord().packet(3, token: "42").with(wire, at: 123))
        #expect(host.ticks.last?.value(\.ts_last_trade, FH_F_TRADE_TS) == seconds.map { $0 * 1_000_000_000 })
    }

    /// In milliseconds, in each mode; mode 4 has its time elsewhere.
    @Test(
        arguments: [
            (0, nil), (1, nil), (315_532_800_000, nil), (631_152_000_000, 631_152_000_000),
            (0x7FFF_FFFF_000, 0x7FFF_FFFF_000), (1_700_000_000_123, 1_700_000_000_123), (10_000_000_000_000, nil),
            (-1, nil),
        ] as [(Int64, UInt64?)])
    func timesOfTheExchange(wire: Int64, milliseconds: UInt64?) throws {
        let wishes = [(FH_MODE_LTP, 0), (FH_MODE_QUOTE, 0), (FH_MODE_DEPTH, 5), (FH_MODE_DEPTH, 20)]
        for (mode, wish) in zip(1...4 as ClosedRange<UInt8>, wishes) {
            let host = try openAngel()
            host.settled([host.share("42", wish.0, depth: wish.1)])
            if mode == 4 {
                host.deliver(WireBook().packet(token: "42", time: wire))
            } else {
                host.deliver(WireRecord().packet(mode, token: "42").with(wire, at: 35))
            }
            let record = try #require(host.ticks.last).record
            #expect(record.ts_exchange == milliseconds.map { $0 * 1_000_000 } ?? .max, "mode \(mode)")
            #expect((record.flags & UInt16(FH_TF_BAD_TS) != 0) == (wire != 0 && milliseconds == nil), "mode \(mode)")
        }
    }
}
