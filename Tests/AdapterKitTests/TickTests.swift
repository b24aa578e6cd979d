import CFeedhostABI
import Testing

@testable import AdapterKit

@Suite struct TickTests {
    @Test func holdsOnlyWhatIsSet() {
        var tick = Tick(instrument: 9, mode: .quote, priceExponent: -2)
        #expect(tick.isEmpty)
        #expect(tick.exchangeTime == nil && tick.receivedAt == nil && tick.sequence == nil)
        tick.lastPrice = 0
        tick.bid = BookTop(price: 5, quantity: 6)
        tick.lastTradeTime = 7
        #expect(tick.record.fields == UInt64(FH_F_LTP | FH_F_BID | FH_F_TRADE_TS))
        #expect(tick.lastPrice == 0 && tick.open == nil && tick.ask == nil)
        #expect(tick.holds(anyOf: UInt64(FH_F_BID | FH_F_ASK)) && !tick.holds(anyOf: UInt64(FH_F_ASK)))
        tick.lastPrice = nil
        tick.bid = nil
        tick.lastTradeTime = nil
        #expect(tick.isEmpty)
    }

    /// Every property has a bit and a place of its own.
    @Test func mapsEveryField() {
        let paths: [(WritableKeyPath<Tick, Int64?>, Int)] = [
            (\.lastPrice, FH_F_LTP), (\.lastQuantity, FH_F_LTQ), (\.averagePrice, FH_F_AVG), (\.open, FH_F_OPEN),
            (\.high, FH_F_HIGH), (\.low, FH_F_LOW), (\.previousClose, FH_F_CLOSE), (\.volume, FH_F_VOLUME),
            (\.openInterest, FH_F_OI), (\.openInterestHigh, FH_F_OI_HIGH), (\.openInterestLow, FH_F_OI_LOW),
            (\.previousOpenInterest, FH_F_OI_PREV), (\.totalBuyQuantity, FH_F_TOTAL_BUY),
            (\.totalSellQuantity, FH_F_TOTAL_SELL), (\.lowerLimit, FH_F_LOWER_LIMIT), (\.upperLimit, FH_F_UPPER_LIMIT),
            (\.yearHigh, FH_F_YEAR_HIGH), (\.yearLow, FH_F_YEAR_LOW), (\.turnover, FH_F_TURNOVER),
        ]
        var tick = Tick(instrument: 1, mode: .lastPrice, priceExponent: 0)
        for (offset, (path, _)) in paths.enumerated() { tick[keyPath: path] = Int64(offset + 1) }
        for (offset, (path, bit)) in paths.enumerated() {
            #expect(tick[keyPath: path] == Int64(offset + 1))
            #expect(tick.record.fields & UInt64(bit) != 0)
        }
        #expect(tick.record.ltp == 1 && tick.record.turnover == 19)
        var copy = Tick(instrument: 1, mode: .quote, priceExponent: 0)
        copy.merge(tick)
        for (path, _) in paths { #expect(copy[keyPath: path] == tick[keyPath: path]) }
        #expect(copy.mode == .quote)
    }

    @Test func mergesWhatIsNewer() {
        var whole = Tick(instrument: 1, mode: .quote, priceExponent: -2, receivedAt: 1)
        whole.lastPrice = 100
        whole.volume = 5
        whole.sequence = 3
        var delta = Tick(instrument: 1, mode: .lastPrice, priceExponent: -2, receivedAt: 2)
        delta.lastPrice = 101
        delta.ask = BookTop(price: 102, quantity: 1)
        let isMerged = whole.merge(delta)
        #expect(isMerged)
        #expect(whole.lastPrice == 101 && whole.volume == 5 && whole.ask?.price == 102)
        #expect(whole.receivedAt == 2 && whole.sequence == 3 && whole.mode == .quote)
        let isOther = whole.merge(Tick(instrument: 2, mode: .quote, priceExponent: -2))
        #expect(!isOther)
    }
}

@Suite struct LevelBufferTests {
    @Test func theBestLevelIsItsTop() {
        let side = LevelBuffer(capacity: 2)
        #expect(side.top == .withdrawn)
        side.append(Level(price: 102, quantity: 3))
        side.append(Level(price: 101, quantity: 4))
        let isTaken = side.append(Level(price: 100, quantity: 5))
        #expect(!isTaken && side.top == BookTop(price: 102, quantity: 3))
        side.removeAll()
        #expect(side.top == .withdrawn)
    }
}

@Suite struct BytesMapTests {
    private func value(_ map: BytesMap<Int>, _ key: String) -> Int? {
        var key = key
        return key.withUTF8 { map[Bytes($0)] }
    }

    @Test func findsAndForgets() {
        var map = BytesMap<Int>()
        for number in 0..<1_000 { map["key\(number)"] = number }
        #expect(map.count == 1_000)
        for number in stride(from: 0, to: 1_000, by: 2) { map["key\(number)"] = nil }
        map["key1"] = -1
        map["nobody"] = nil
        #expect(map.count == 500)
        for number in 0..<1_000 {
            #expect(value(map, "key\(number)") == (number % 2 == 0 ? nil : number == 1 ? -1 : number))
        }
        #expect(value(map, "") == nil)
        map[""] = 5
        #expect(value(map, "") == 5 && map[""] == 5)
        map.removeAll()
        #expect(map.count == 0 && value(map, "key3") == nil)
    }

    @Test func comparesBytes() {
        let bytes: [UInt8] = [97, 98, 99]
        bytes.withUnsafeBufferPointer { buffer in
            let text = Bytes(buffer)
            #expect(text == "abc" && text.slice(from: 1) == "bc" && text.slice(from: 5, to: 2) == "")
            #expect(!(text == "abd") && !(text == "ab"))
            #expect(text[2] == 99 && text[3] == nil && text[-1] == nil)
            #expect(text.only == nil && text.slice(from: 0, to: 1).only == 97)
            #expect(text.firstIndex(of: 99) == 2 && text.firstIndex(of: 0) == nil)
            #expect(Bytes.empty == Bytes(nil, count: 5))
        }
    }
}
