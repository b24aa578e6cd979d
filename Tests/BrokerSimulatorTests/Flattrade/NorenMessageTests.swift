import NIOCore
import Testing

@testable import BrokerSimulator

@Suite struct NorenMessageTests {
    private static func listing(_ segment: Segment, token: UInt32, root: String, tick: Int64 = 5) throws -> NorenListing
    {
        try #require(
            NorenListing(
                SimulatedInstrument(
                    segment: segment, token: token, root: root, name: root, contract: .cash, tickSize: tick,
                    lotSize: 1, basePrice: 100)))
    }

    /// The example of the documents: NTPC, with one level of the book.
    private static var ntpc: Quote {
        var quote = Quote(
            lastPrice: 11_855, open: 11_820, high: 11_865, low: 11_810, close: 11_700, lowerCircuit: 10_530,
            upperCircuit: 12_870, yearHigh: 15_000, yearLow: 9_000)
        quote.volume = 162_220
        quote.averagePrice = 11_839
        quote.lastQuantity = 3
        quote.totalBuyQuantity = 40
        quote.totalSellQuantity = 50
        quote.exchangeTime = 1_638_512_684_000_000_000
        quote.lastTradeTime = 1_638_512_683_000_000_000
        quote.bids[0] = BookLevel(price: 11_845, quantity: 26, orders: 2)
        quote.asks[0] = BookLevel(price: 11_850, quantity: 6_325, orders: 7)
        return quote
    }

    private func image(_ quote: Quote, _ listing: NorenListing, total: Int64? = nil) -> NorenImage {
        NorenImage(quote, of: listing, totalInterest: total, sendsClosePrice: true)
    }

    private func snapshot(_ quote: Quote, _ listing: NorenListing, _ feed: NorenFeed, total: Int64? = nil) -> String {
        var bytes = ByteBuffer()
        NorenMessage.writeSnapshot(image(quote, listing, total: total), of: listing, feed: feed, to: &bytes)
        return String(buffer: bytes)
    }

    private func delta(_ quote: Quote, since former: Quote, _ listing: NorenListing, _ feed: NorenFeed) -> String? {
        var bytes = ByteBuffer()
        let known = image(former, listing)
        let isWritten = NorenMessage.writeDelta(
            image(quote, listing), since: known, of: listing, feed: feed, to: &bytes)
        #expect(isWritten == (bytes.readableBytes > 0))
        return isWritten ? String(buffer: bytes) : nil
    }

    @Test func touchlineSnapshotIsTheDocumentedOne() throws {
        let listing = try Self.listing(.nse, token: 11_630, root: "NTPC")
        #expect(
            snapshot(Self.ntpc, listing, .touchline)
                == #"{"t":"tk","e":"NSE","tk":"11630","ts":"NTPC-EQ","pp":"2","ls":"1","ti":"0.05","lp":"118.55","#
                + #""pc":"1.32","o":"118.20","h":"118.65","l":"118.10","c":"117.00","ap":"118.39","v":"162220","#
                + #""bp1":"118.45","bq1":"26","sp1":"118.50","sq1":"6325","ft":"1638512684"}"#)
    }

    @Test func deltasHoldWhatHasChanged() throws {
        let listing = try Self.listing(.nse, token: 11_630, root: "NTPC")
        var quote = Self.ntpc
        quote.exchangeTime += 2_000_000_000
        // Time alone is no news.
        #expect(delta(quote, since: Self.ntpc, listing, .touchline) == nil)
        quote.high = 11_866
        #expect(
            delta(quote, since: Self.ntpc, listing, .touchline)
                == #"{"t":"tf","e":"NSE","tk":"11630","h":"118.66","ft":"1638512686"}"#)
        quote.high = 11_865
        quote.bids[4] = BookLevel(price: 11_800, quantity: 1, orders: 1)
        // The touchline shows one level only.
        #expect(delta(quote, since: Self.ntpc, listing, .touchline) == nil)
        #expect(
            delta(quote, since: Self.ntpc, listing, .depth)
                == #"{"t":"df","e":"NSE","tk":"11630","bp5":"118.00","bq5":"1","bo5":"1","ft":"1638512686"}"#)
    }

    @Test func depthSnapshotHasFiveLevelsAndTheDay() throws {
        let listing = try Self.listing(.nse, token: 11_630, root: "NTPC")
        let text = snapshot(Self.ntpc, listing, .depth)
        let zeros = (2...5)
        func row(_ key: String, _ first: String, _ rest: String) -> String {
            #","\#(key)1":"\#(first)""# + zeros.map { #","\#(key)\#($0)":"\#(rest)""# }.joined()
        }
        #expect(
            text == #"{"t":"dk","e":"NSE","tk":"11630","ts":"NTPC-EQ","pp":"2","ls":"1","ti":"0.05","lp":"118.55","#
                + #""pc":"1.32","o":"118.20","h":"118.65","l":"118.10","c":"117.00","ap":"118.39","v":"162220","#
                + #""ltt":"11:54:43","ltq":"3","tbq":"40","tsq":"50","lc":"105.30","uc":"128.70","52h":"150.00","#
                + #""52l":"90.00","cp":"117.00""# + row("bp", "118.45", "0.00") + row("bq", "26", "0")
                + row("bo", "2", "0") + row("sp", "118.50", "0.00") + row("sq", "6325", "0") + row("so", "7", "0")
                + #","ft":"1638512684"}"#)
    }

    @Test func currenciesHaveFourDecimals() throws {
        let listing = try Self.listing(.cds, token: 1, root: "USDINR", tick: 25)
        var quote = Self.ntpc
        quote.lastPrice = 832_525
        quote.openInterest = 12
        quote.previousOpenInterest = 11
        let text = snapshot(quote, listing, .touchline, total: 99)
        #expect(text.contains(#""pp":"4","ls":"1","ti":"0.0025","lp":"83.2525""#))
        #expect(text.contains(#""oi":"12","poi":"11","toi":"99""#))
    }

    @Test func indicesHaveNoVolumeAndNoBook() throws {
        let instrument = SimulatedInstrument(
            segment: .nseIndex, token: 0, root: "NIFTY", name: "NIFTY 50", contract: .index, tickSize: 5, lotSize: 1,
            basePrice: 1, indexTokens: .init(kite: 1, angel: 2, noren: 26_000))
        var quote = Self.ntpc
        quote.volume = 0
        for feed in [NorenFeed.touchline, .depth] {
            let text = snapshot(quote, try #require(NorenListing(instrument)), feed)
            #expect(text.contains(#""e":"NSE","tk":"26000","ts":"Nifty 50""#))
            let close = feed == .depth ? #","cp":"117.00""# : ""
            #expect(
                text.hasSuffix(
                    #""lp":"118.55","pc":"1.32","o":"118.20","h":"118.65","l":"118.10","c":"117.00"\#(close),"#
                        + #""ft":"1638512684"}"#))
        }
    }

    @Test func scripsThatHaveNotTradedLackTheirDay() throws {
        let listing = try Self.listing(.nse, token: 11_630, root: "NTPC")
        var quote = Self.ntpc
        quote.volume = 0
        let text = snapshot(quote, listing, .touchline)
        for key in ["lp", "pc", "o", "h", "l", "ap", "v"] { #expect(!text.contains("\"\(key)\":")) }
        #expect(text.contains(#""c":"117.00""#))
        #expect(
            delta(Self.ntpc, since: quote, listing, .touchline)
                == #"{"t":"tf","e":"NSE","tk":"11630","lp":"118.55","pc":"1.32","o":"118.20","h":"118.65","#
                + #""l":"118.10","ap":"118.39","v":"162220"}"#)
    }

    @Test(arguments: [
        (0, 2, "0.00"), (5, 2, "0.05"), (-5, 2, "-0.05"), (-132, 2, "-1.32"), (100, 2, "1.00"), (25, 4, "0.0025"),
        (832_525, 4, "83.2525"), (0, 0, "0"), (-7, 0, "-7"), (Int64.max, 2, "92233720368547758.07"),
        (Int64.min + 1, 4, "-922337203685477.5807"),
    ])
    func decimalsAreFixed(mantissa: Int64, decimals: Int, text: String) {
        var bytes = ByteBuffer()
        NorenMessage.writeFixed(mantissa, decimals: decimals, to: &bytes)
        #expect(String(buffer: bytes) == text)
    }

    @Test(arguments: [(11_855, 11_700, 132), (11_545, 11_700, -132), (100, 0, 0), (100, 100, 0), (201, 200, 50)])
    func changeIsInHundredthsOfAPercent(price: Int64, close: Int64, change: Int64) {
        #expect(NorenImage.change(price, from: close) == change)
    }
}
