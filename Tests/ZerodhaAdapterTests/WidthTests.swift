import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

/// Every number of every packet at the edges of its 32 bits, in every segment.
@Suite struct ZerodhaWidthTests {
    private static let edges: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF]
    /// Number, exponent, and whether its prices can be below zero: futures on MCX have been.
    private static let segments: [(code: UInt32, exponent: Int8, isSigned: Bool)] = [
        (1, -2, false), (2, -2, false), (3, -7, false), (4, -2, false), (5, -2, false), (6, -4, false), (7, -2, true),
        (8, -2, false), (9, -2, false), (12, -4, false),
    ]

    private enum Kind {
        case price, quantity, time
    }

    private struct Field {
        let offset: Int
        let kind: Kind
        let bit: Int
        let read: (fh_tick) -> UInt64

        init(_ offset: Int, _ kind: Kind, _ bit: Int, _ read: @escaping (fh_tick) -> Int64) {
            (self.offset, self.kind, self.bit) = (offset, kind, bit)
            self.read = { UInt64(bitPattern: read($0)) }
        }

        init(time offset: Int, _ bit: Int, _ read: @escaping (fh_tick) -> UInt64) {
            (self.offset, kind, self.bit, self.read) = (offset, .time, bit, read)
        }
    }

    /// By the length of the packet: the tables of Kite Connect's docs once more.
    private static func fields(_ length: Int) -> [Field] {
        let last = [Field(4, .price, FH_F_LTP) { $0.ltp }]
        let quote = [
            Field(8, .quantity, FH_F_LTQ) { $0.ltq }, Field(12, .price, FH_F_AVG) { $0.avg_px },
            Field(16, .quantity, FH_F_VOLUME) { $0.volume }, Field(20, .quantity, FH_F_TOTAL_BUY) { $0.total_buy_qty },
            Field(24, .quantity, FH_F_TOTAL_SELL) { $0.total_sell_qty }, Field(28, .price, FH_F_OPEN) { $0.open },
            Field(32, .price, FH_F_HIGH) { $0.high }, Field(36, .price, FH_F_LOW) { $0.low },
            Field(40, .price, FH_F_CLOSE) { $0.close },
        ]
        let full = [
            Field(time: 44, FH_F_TRADE_TS) { $0.ts_last_trade }, Field(48, .quantity, FH_F_OI) { $0.oi },
            Field(52, .quantity, FH_F_OI_HIGH) { $0.oi_high }, Field(56, .quantity, FH_F_OI_LOW) { $0.oi_low },
            Field(time: 60, 0) { $0.ts_exchange },
        ]
        let index = [
            Field(8, .price, FH_F_HIGH) { $0.high }, Field(12, .price, FH_F_LOW) { $0.low },
            Field(16, .price, FH_F_OPEN) { $0.open }, Field(20, .price, FH_F_CLOSE) { $0.close },
        ]
        switch length {
        case 8: return last
        case 44: return last + quote
        case 184: return last + quote + full
        case 28: return last + index
        default: return last + index + [Field(time: 28, 0) { $0.ts_exchange }]
        }
    }

    private static func price(_ raw: UInt32, isSigned: Bool) -> Int64 {
        isSigned ? Int64(Int32(bitPattern: raw)) : Int64(raw)
    }

    /// What the field must say; nil where the number says that there is none.
    private static func expected(_ raw: UInt32, _ kind: Kind, isSigned: Bool) -> UInt64? {
        switch kind {
        case .price: raw == 0 ? nil : UInt64(bitPattern: price(raw, isSigned: isSigned))
        case .quantity: UInt64(raw)
        // 1970 is no time of an exchange.
        case .time: raw < 2 ? nil : UInt64(raw) * 1_000_000_000
        }
    }

    @Test func everyFieldOfEverySegmentAtItsEdges() throws {
        var checked = 0
        for segment in Self.segments {
            let token = 1_234 * 256 + segment.code
            let host = try subscribeZerodha(token, FH_MODE_DEPTH)
            for length in segment.code == 9 ? [8, 28, 32] : [8, 44, 184] {
                for field in Self.fields(length) {
                    for edge in Self.edges {
                        var packet = KitePacket.numbered(length, token: token)
                        packet.put(edge, at: field.offset)
                        host.deliver(binary: kiteMessage(packet))
                        let record = try #require(host.ticks.last).record
                        let isThere =
                            field.bit == 0 ? record.ts_exchange != .max : record.fields & UInt64(field.bit) != 0
                        let told = isThere ? field.read(record) : nil
                        let wanted = Self.expected(edge, field.kind, isSigned: segment.isSigned)
                        #expect(
                            told == wanted && record.price_exp == segment.exponent,
                            "segment \(segment.code), \(length) bytes, offset \(field.offset), raw \(edge)")
                        checked += 1
                    }
                }
            }
            #expect(host.metrics.isEmpty)
        }
        #expect(checked == 6 * (9 * (1 + 10 + 15) + 1 + 5 + 6))
    }

    @Test func everyLevelOfEverySegmentAtItsEdges() throws {
        for segment in Self.segments where segment.code != 9 {
            let token = 1_234 * 256 + segment.code
            let host = try subscribeZerodha(token, FH_MODE_DEPTH)
            for level in 0..<10 {
                for edge in Self.edges.dropFirst() {
                    var packet = KitePacket.numbered(184, token: token)
                    packet.put(edge, at: 64 + 12 * level)
                    packet.put(edge, at: 64 + 12 * level + 4)
                    packet.bytes[64 + 12 * level + 8] = 0xFF
                    packet.bytes[64 + 12 * level + 9] = 0xFF
                    host.deliver(binary: kiteMessage(packet))
                    let tick = try #require(host.ticks.last)
                    let price = Self.price(edge, isSigned: segment.isSigned)
                    let wanted = PublishedLevel(price: price, quantity: Int64(edge), orders: 65_535)
                    #expect((level < 5 ? tick.bids[level] : tick.asks[level - 5]) == wanted, "segment \(segment.code)")
                    if level == 0 { #expect((tick.record.bid_px, tick.record.bid_qty) == (price, Int64(edge))) }
                    if level == 5 { #expect((tick.record.ask_px, tick.record.ask_qty) == (price, Int64(edge))) }
                }
            }
        }
    }

    /// A kilogram of silver on NSE, beyond 2³¹ at four decimals: read as signed it is −160,996.7296.
    @Test func silverOnNSE() throws {
        let host = try subscribeZerodha(Token.goldNSE, FH_MODE_LTP)
        var packet = KitePacket(8, token: Token.goldNSE)
        packet.put(2_685_000_000, at: 4)
        host.deliver(binary: kiteMessage(packet))
        let record = try #require(host.ticks.last).record
        #expect((record.ltp, record.price_exp) == (2_685_000_000, -4), "268,500.0000 rupees")
    }

    /// Zeros of clocks: Unix counts from 1970, NSE from 1980.
    @Test(arguments: [0, 1, 86_400, 315_513_000, 315_532_800, 631_151_999] as [UInt32])
    func zerosOfClocksAreNoTimes(seconds: UInt32) throws {
        let host = try subscribeZerodha(Token.infy, FH_MODE_DEPTH)
        var packet = KitePacket.numbered(184, token: Token.infy)
        packet.put(seconds, at: 44)
        packet.put(seconds, at: 60)
        host.deliver(binary: kiteMessage(packet))
        let tick = try #require(host.ticks.last)
        #expect(!tick.holds(FH_F_TRADE_TS) && tick.record.ts_exchange == .max)
    }
}
