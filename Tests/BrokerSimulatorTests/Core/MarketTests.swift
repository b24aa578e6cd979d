import Foundation
import NIOCore
import Testing

@testable import BrokerSimulator

struct MarketTests {
    private func market(seed: UInt64) -> Market {
        Market(
            instruments: Listings.standard(asOf: CalendarDay(year: 2026, month: 11, day: 23), synthetic: 3), seed: seed,
            clock: { testTime })
    }

    private func prices(_ market: Market) -> [[Int64]] {
        market.quotes.map { [$0.lastPrice, $0.volume, $0.openInterest, $0.bids[4].quantity, $0.asks[19].price] }
    }

    @Test func theSameSeedGivesTheSameMarket() {
        let (one, two, other) = (market(seed: 5), market(seed: 5), market(seed: 6))
        for step in 0..<200 { one.step(step % one.instruments.count) }
        // Another order of the instruments makes no difference to any of them.
        for step in (0..<200).reversed() { two.step(step % one.instruments.count) }
        for step in 0..<200 { other.step(step % one.instruments.count) }
        #expect(prices(one) == prices(two))
        #expect(prices(one) != prices(other))
    }

    @Test func valuesStayPossible() {
        let market = market(seed: 11)
        for index in market.instruments.indices {
            let instrument = market.instruments[index]
            var moves = 0
            for _ in 0..<500 {
                let before = market.quotes[index]
                market.step(index)
                let quote = market.quotes[index]
                moves += quote.lastPrice == before.lastPrice ? 0 : 1
                #expect(quote.version == before.version + 1)
                #expect(quote.low <= quote.lastPrice && quote.lastPrice <= quote.high)
                #expect(quote.lowerCircuit <= quote.lastPrice && quote.lastPrice <= quote.upperCircuit)
                #expect(quote.low <= quote.open && quote.open <= quote.high)
                #expect(quote.yearLow <= quote.low && quote.high <= quote.yearHigh)
                #expect(quote.volume >= before.volume && quote.volume <= Walk.largestQuantity)
                guard !instrument.segment.isIndex else {
                    #expect(quote.volume == 0 && quote.bids[0].price == 0 && quote.openInterest == 0)
                    continue
                }
                #expect(quote.low <= quote.averagePrice && quote.averagePrice <= quote.high)
                #expect(quote.bids[0].price < quote.asks[0].price)
                #expect(quote.bids.map(\.price) == quote.bids.map(\.price).sorted(by: >))
                #expect(quote.asks.map(\.price) == quote.asks.map(\.price).sorted())
                #expect(quote.openInterestLow <= quote.openInterest && quote.openInterest <= quote.openInterestHigh)
            }
            #expect(moves > 100, "\(instrument.symbol) hardly moves")
        }
    }

    @Test func thereIsSomethingInEverySegment() {
        let list = Listings.standard(asOf: CalendarDay(year: 2026, month: 11, day: 23), synthetic: 2)
        for segment in Segment.allCases { #expect(list.contains { $0.segment == segment }, "\(segment)") }
        let names = list.map { "\($0.segment.rawValue):\($0.symbol)" }
        #expect(Set(names).count == names.count)
        #expect(names.contains("NFO:NIFTY24NOV26FUT"))
        #expect(names.contains("CDS:USDINR24NOV2688.5CE"))
        #expect(names.suffix(2) == ["NSE:SIM00001", "NSE:SIM00002"])
        // A token belongs to one instrument of an exchange, and elsewhere to another.
        let tradable = list.filter { !$0.segment.isIndex }
        #expect(Set(tradable.map { "\($0.segment.rawValue)|\($0.token)" }).count == tradable.count)
        #expect(Set(tradable.map(\.token)).count < tradable.count)
    }

    @Test func changesByHandAreSeen() throws {
        let market = market(seed: 1)
        let index = try #require(market.index(ofSymbol: "CDS:USDINR24NOV26FUT"))
        let change = try Fault("tick", body: #"{"ltp":88.6125,"oi":7,"bids":[[88.61,4000,3]]}"#).decode(TickChange.self)
        var quote = market.quotes[index]
        try change.apply(to: &quote, exponent: market.instruments[index].segment.priceExponent)
        #expect(quote.lastPrice == 886_125)
        #expect(quote.openInterest == 7)
        #expect(quote.bids[0] == BookLevel(price: 886_100, quantity: 4_000, orders: 3))
        #expect(quote.bids[1] == BookLevel())
        #expect(quote.asks == market.quotes[index].asks)
    }

    @Test func theTableHoldsEverything() throws {
        let market = market(seed: 3)
        func rows(_ exchange: String? = nil, _ key: String? = nil) throws -> [[String: Any]] {
            let bytes = InstrumentTable.json(market, exchange: exchange, key: key) { "k\($0)" }
            let json = try JSONSerialization.jsonObject(with: Data(bytes.readableBytesView))
            return try #require(json as? [[String: Any]])
        }
        let all = try rows()
        #expect(all.count == market.instruments.count)
        for (row, quote) in zip(all, market.quotes) {
            #expect(row["ltp"] as? Int64 == quote.lastPrice && row["52_week_low"] as? Int64 == quote.yearLow)
            #expect(row["asks"] as? [[Int64]] == quote.asks.map { [$0.price, $0.quantity, $0.orders] })
            #expect(row["exchange_time"] as? UInt64 == testTime / 1_000_000)
        }
        #expect(try rows("CDS").allSatisfy { $0["price_exponent"] as? Int == -4 })
        #expect(try rows(nil, "k1").map { $0["symbol"] as? String } == ["INFY"])
        #expect(try rows("BSE", "k1").isEmpty)
    }
}
