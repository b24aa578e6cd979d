import AdapterKit

// From an event to a tick.
extension Binance {
    /// Exponents of quantities, the finest first. At −8 an `Int64` ends at 92 thousand million, and some coins trade
    /// more than that in a day; those trade whole units, so nothing is lost at the coarser ones.
    private static func nextQuantityExponent(after exponent: Int8) -> Int8? {
        exponent < 0 ? exponent + 4 : nil
    }

    /// Tries one exponent after the other until the quantities fit; `false` if the event is undecodable.
    private static func withQuantityExponent(_ body: (Int8) throws(DecodingFault) -> Void) -> Bool {
        var exponent: Int8? = -8
        while let current = exponent {
            do throws(DecodingFault) {
                try body(current)
                return true
            } catch {
                guard error == .quantityTooFine else { return false }
                exponent = nextQuantityExponent(after: current)
            }
        }
        return false
    }

    /// Publishes `event` of stream `kind`; `false` if it is undecodable.
    func publish(_ event: MarketEvent, _ kind: StreamKinds, _ index: Int, _ receivedAt: UInt64) -> Bool {
        if let id = event.tradeID, id <= instruments[index].lastTradeID { return true }
        if kind == .ticker, let time = event.time, !isNews(time, &instruments[index].tickerTime, receivedAt) {
            return true
        }
        if kind == .bookTicker, let update = event.update, !isNews(update, &instruments[index].topUpdate, receivedAt) {
            return true
        }
        return Self.withQuantityExponent { exponent throws(DecodingFault) in
            var tick = Tick(
                instrument: instruments[index].handle, mode: kind.isDisjoint(with: .trades) ? .quote : .lastPrice,
                priceExponent: Self.priceExponent, quantityExponent: exponent, receivedAt: receivedAt)
            tick.flags = .last
            if let time = event.time { tick.exchangeTime = try Self.nanoseconds(time) }
            if kind == .ticker {
                try fill(&tick, ticker: event, instruments[index])
            } else if kind == .bookTicker {
                try fill(&tick, bookTicker: event)
                instruments[index].hasBookTicker = true
            } else {
                try fill(&tick, trade: event)
                instruments[index].hasTrade = true
                instruments[index].lastTradeID = event.tradeID ?? -1
            }
            host.publish(tick)
        }
    }

    private func fill(_ tick: inout Tick, trade event: MarketEvent) throws(DecodingFault) {
        guard let price = try event.price.asPrice(), let time = event.tradeTime else { throw .wrong }
        tick.lastPrice = price
        tick.lastQuantity = try event.quantity.asQuantity(tick.quantityExponent)
        tick.lastTradeTime = try Self.nanoseconds(time)
    }

    private func fill(_ tick: inout Tick, bookTicker event: MarketEvent) throws(DecodingFault) {
        tick.bid = try Self.top(event.bid, event.bidQuantity, tick.quantityExponent)
        tick.ask = try Self.top(event.ask, event.askQuantity, tick.quantityExponent)
    }

    private func fill(
        _ tick: inout Tick, ticker event: MarketEvent, _ instrument: Instrument
    ) throws(DecodingFault) {
        tick.open = try event.open.asPrice()
        tick.high = try event.high.asPrice()
        tick.low = try event.low.asPrice()
        tick.volume = try event.volume.asQuantity(tick.quantityExponent)
        tick.averagePrice = try event.average.asPrice()
        tick.previousClose = try event.previousClose.asPrice()
        tick.turnover = event.quantity.flatMap { DecimalText.mantissa(of: $0, exponent: Int(Self.priceExponent)) }
        // The ticker comes once a second and repeats what the faster streams have said, so it only fills in for them.
        if !instrument.hasTrade, let price = try event.last.asPrice() {
            tick.lastPrice = price
            tick.lastQuantity = try event.lastQuantity.asQuantity(tick.quantityExponent)
        }
        if !instrument.hasBookTicker {
            tick.bid = try Self.top(event.bid, event.bidQuantity, tick.quantityExponent)
            tick.ask = try Self.top(event.ask, event.askQuantity, tick.quantityExponent)
        }
    }

    /// Whether a number that rises with every message of a stream has done so. Looked at only while two connections bring the
    /// same streams and a little longer: one connection keeps the order by itself.
    private func isNews(_ number: Int64, _ last: inout Int64, _ receivedAt: UInt64) -> Bool {
        guard number > last || receivedAt >= sockets.guardedUntil else { return false }
        last = number
        return true
    }

    /// Publishes a partial book; `false` if it is undecodable.
    func publishBook(_ data: Bytes, _ index: Int, _ receivedAt: UInt64) -> Bool {
        Self.withQuantityExponent { exponent throws(DecodingFault) in
            var json = JSONScanner(data)
            var sides = 0
            guard json.enterObject() else { throw .wrong }
            var update: Int64?
            while let key = json.nextKey() {
                if key == "lastUpdateId" {
                    update = json.integer()
                } else if key == "bids" {
                    try Self.readSide(&json, into: bids, exponent)
                    sides |= 1
                } else if key == "asks" {
                    try Self.readSide(&json, into: asks, exponent)
                    sides |= 2
                } else {
                    json.skipValue()
                }
            }
            guard json.isFinished, sides == 3 else { throw .wrong }
            if let update, !isNews(update, &instruments[index].bookUpdate, receivedAt) { return }
            var tick = Tick(
                instrument: instruments[index].handle, mode: .depth, priceExponent: Self.priceExponent,
                quantityExponent: exponent, receivedAt: receivedAt)
            tick.flags = .last
            host.publish(tick, bids: bids, asks: asks, limit: instruments[index].levels)
        }
    }

    /// Reads `[["price","quantity"],…]`. Levels beyond the buffer are checked and left out.
    private static func readSide(
        _ json: inout JSONScanner, into side: LevelBuffer, _ exponent: Int8
    ) throws(DecodingFault) {
        side.removeAll()
        guard json.enterArray() else { throw .wrong }
        while json.nextElement() {
            guard json.enterArray(), json.nextElement() else { throw .wrong }
            let price = try json.numberOrString().asPrice()
            guard json.nextElement() else { throw .wrong }
            let quantity = try json.numberOrString().asQuantity(exponent)
            while json.nextElement() { json.skipValue() }
            guard let price, !json.isBroken else { throw .wrong }
            side.append(Level(price: price, quantity: quantity))
        }
        if json.isBroken { throw .wrong }
    }

    /// The best bid or ask. Binance writes zeros when that side of the book is empty.
    private static func top(_ price: Bytes?, _ quantity: Bytes?, _ exponent: Int8) throws(DecodingFault) -> BookTop {
        let quantity = try quantity.asQuantity(exponent)
        guard let price = try price.asPrice() else { return .withdrawn }
        return BookTop(price: price, quantity: quantity)
    }

    private static func nanoseconds(_ milliseconds: Int64) throws(DecodingFault) -> UInt64 {
        guard milliseconds >= 0 else { throw .wrong }
        let (product, overflow) = UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000)
        guard !overflow, product != .max else { throw .wrong }
        return product
    }
}
