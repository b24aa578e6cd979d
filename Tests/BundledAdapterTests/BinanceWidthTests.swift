import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

/// Every number of every stream at the edges of 32 bits and beyond.
@Suite struct BinanceWidthTests {
    private static let edges: [Int64] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 92_000_000_000]

    private static func numbered(_ letters: [(String, Int64)], stream: String, _ rest: String) -> String {
        let members = letters.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",")
        return "{\"stream\":\"nknusdt@\(stream)\",\"data\":{\(rest),\(members)}}"
    }

    @Test func everyValueOfTheTickerAtItsEdges() throws {
        let prices: [(String, Int, KeyPath<fh_tick, Int64>)] = [
            ("w", FH_F_AVG, \.avg_px), ("x", FH_F_CLOSE, \.close), ("c", FH_F_LTP, \.ltp), ("b", FH_F_BID, \.bid_px),
            ("a", FH_F_ASK, \.ask_px), ("o", FH_F_OPEN, \.open), ("h", FH_F_HIGH, \.high), ("l", FH_F_LOW, \.low),
        ]
        let quantities: [(String, Int, KeyPath<fh_tick, Int64>)] = [
            ("Q", FH_F_LTQ, \.ltq), ("B", FH_F_BID, \.bid_qty), ("A", FH_F_ASK, \.ask_qty),
            ("v", FH_F_VOLUME, \.volume),
        ]
        let names = prices.map(\.0) + quantities.map(\.0) + ["q"]
        let host = try openBinance(FH_MODE_QUOTE)
        for (letter, bit, path) in prices + quantities {
            for edge in Self.edges {
                let letters = names.map { ($0, $0 == letter ? edge : 7) }
                host.deliver(Self.numbered(letters, stream: "ticker", #""e":"24hrTicker","E":1633998524000"#))
                let tick = try #require(host.ticks.last)
                let isPrice = prices.contains { $0.0 == letter }
                let told = tick.value(path, bit)
                if edge == 0, isPrice {
                    // Zero is no price: the side is empty, or nothing has traded.
                    #expect(told == nil || told == .max, "\(letter)")
                } else {
                    let one: Int64 = isPrice || tick.record.qty_exp == -8 ? 100_000_000 : 10_000
                    #expect(told == edge * one, "\(letter) \(edge)")
                }
            }
        }
        #expect(host.metrics.isEmpty)
    }

    @Test func everyValueOfATradeAtItsEdges() throws {
        let host = try openBinance(FH_MODE_LTP)
        var id: Int64 = 0
        for edge in Self.edges.dropFirst() {
            id += 1 << 33
            host.deliver(
                Self.numbered(
                    [("p", edge), ("q", edge)], stream: "trade", "\"E\":\(edge),\"T\":\(edge),\"t\":\(id)"))
            let tick = try #require(host.ticks.last)
            #expect((tick.record.ltp, tick.record.ltq) == (edge * 100_000_000, edge * 100_000_000))
            #expect(tick.record.ts_exchange == UInt64(edge) * 1_000_000)
            #expect(tick.record.ts_last_trade == UInt64(edge) * 1_000_000)
        }
        #expect(host.tickCount == Self.edges.count - 1)
    }

    @Test func everyLevelAtItsEdges() throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        for edge in Self.edges.dropFirst() {
            host.deliver(
                "{\"stream\":\"nknusdt@depth5@100ms\",\"data\":{\"lastUpdateId\":1,\"bids\":[[\"\(edge)\",\"\(edge)\"]],"
                    + "\"asks\":[[\"\(edge)\",\"\(edge)\"]]}}")
            let tick = try #require(host.ticks.last)
            let wanted = PublishedLevel(price: edge * 100_000_000, quantity: edge * 100_000_000)
            #expect(tick.bids == [wanted] && tick.asks == [wanted])
        }
    }
}
