import AdapterKit

// From a feed message to a tick.
extension Noren {
    /// Beyond this a precision is a mistake: prices have to fit with room to spare.
    private static let mostDecimals: UInt8 = 8
    /// Fields that a last price does not have.
    private static let beyondLastPrice =
        (FeedField.prices | FeedField.book | FeedField.units) & ~FeedField.bit(FeedField.lastPrice)
    /// A feed time so far ahead of ours is implausible. Seconds.
    private static let longestLead: Int64 = 3_600
    /// For so long after a feed time the feed may be in the same second, the network's jitter included. ns.
    private static let feedTimeLasts: UInt64 = 2_000_000_000

    func take(_ frame: Frame) {
        guard frame.opcode != .pong else { return }
        lastHeard = frame.receivedAt
        guard let header = decoder.decode(frame.bytes) else { return undecodable(frame) }
        guard FeedKind.isFeed(header.kind) else { return takeAnswer(header, frame) }
        takeFeed(header, frame)
    }

    private func takeFeed(_ header: FeedHeader, _ frame: Frame) {
        guard header.exchange != 0, header.token != FeedDecoder.noToken else { return undecodable(frame) }
        let isDepth = header.kind == FeedKind.depthDelta || header.kind == FeedKind.depthSnapshot
        guard let place = table.map[ScripKey.make(header.exchange, header.token)], isUsed(place, isDepth) else {
            return host.count(.framesIgnored)
        }

        let isSnapshot = header.kind == FeedKind.depthSnapshot || header.kind == FeedKind.touchlineSnapshot
        let book = table.book(place, isDepth: isDepth)
        let scrip = table.scrips + place
        if isSnapshot { begin(book, scrip, header) }
        if header.mostPlaces > book.state.pointee.decimals { refine(book, header) }
        var unreadable = header.unreadable &+ book.merge(header, from: decoder.numbers)
        if header.has(FeedField.volume) {
            book.state.pointee.hasTraded = (decoder.numbers.scaled(FeedField.volume, places: 0) ?? 0) > 0
        }
        if header.has(FeedField.feedTime) {
            let time = decoder.numbers.scaled(FeedField.feedTime, places: 0) ?? 0
            scrip.pointee.feedTime = time >= IndianTime.firstTrades && IndianTime.plausible.contains(time) ? time : 0
            scrip.pointee.feedTimeReceivedAt = frame.receivedAt
        }
        publish(header, book, scrip, scrip.pointee.handle, frame.receivedAt, &unreadable)
        if scrip.pointee.isShared {
            for other in table.details[place].subscribers.dropFirst() {
                publish(header, book, scrip, other.handle, frame.receivedAt, &unreadable)
            }
        }
        if unreadable > 0 { host.count(.framesBad) }
        if isSnapshot { confirmed(place, isDepth: isDepth) }
    }

    /// Whether messages of this feed are of use: not those of a feed that was left for the other one, or left altogether.
    private func isUsed(_ place: Int, _ isDepth: Bool) -> Bool {
        let scrip = table.scrips + place
        guard scrip.pointee.handle != 0, table.book(place, isDepth: isDepth).state.pointee.isSent else { return false }
        return scrip.pointee.wantsDepth == isDepth
            || !table.book(place, isDepth: scrip.pointee.wantsDepth).state.pointee.isConfirmed
    }

    /// A snapshot holds everything known: what was known before is not any more.
    private func begin(_ book: FeedBook, _ scrip: UnsafeMutablePointer<Scrip>, _ header: FeedHeader) {
        book.state.pointee.known = 0
        book.state.pointee.hasTraded = false
        scrip.pointee.feedTime = 0
        guard header.has(FeedField.precision), let precision = decoder.numbers.scaled(FeedField.precision, places: 0),
            (0...Int64(Self.mostDecimals)).contains(precision)
        else { return }
        book.state.pointee.decimals = UInt8(precision)
    }

    /// A price with more decimals than the precision, such as an average, makes all of the scrip's prices finer.
    private func refine(_ book: FeedBook, _ header: FeedHeader) {
        let needed = min(decoder.numbers.placesNeeded(header, atLeast: book.state.pointee.decimals), Self.mostDecimals)
        if needed > book.state.pointee.decimals { book.refine(to: needed) }
    }

    private func publish(
        _ header: FeedHeader, _ book: FeedBook, _ scrip: UnsafePointer<Scrip>, _ handle: UInt32, _ receivedAt: UInt64,
        _ unreadable: inout Int
    ) {
        var tick = Tick(
            instrument: handle, mode: .lastPrice, priceExponent: -Int8(book.state.pointee.decimals),
            receivedAt: receivedAt)
        let isSnapshot = header.kind == FeedKind.depthSnapshot || header.kind == FeedKind.touchlineSnapshot
        tick.flags = isSnapshot ? [.snapshot, .last] : .last
        var reader = FeedReader(header, decoder.numbers, decimals: book.state.pointee.decimals)
        reader.fillDay(&tick)
        unreadable &+= reader.unreadable
        setTimes(&tick, header, book, scrip, receivedAt)

        if header.kind == FeedKind.touchlineDelta || header.kind == FeedKind.touchlineSnapshot {
            if header.present & FeedField.bids != 0 { tick.bid = book.top(price: FeedField.bidPrice) }
            if header.present & FeedField.asks != 0 { tick.ask = book.top(price: FeedField.askPrice) }
        } else if isSnapshot ? !scrip.pointee.isIndex : book.state.pointee.isConfirmed {
            // A snapshot without levels says that the book is empty.
            if publishBook(&tick, header, book, isWhole: isSnapshot) { return }
        }
        if header.present & Self.beyondLastPrice != 0 { tick.mode = .quote }
        if isSnapshot || !tick.isEmpty { host.publish(tick) }
    }

    /// Publishes `tick` with the sides of the book that have changed; `false` if none has.
    private func publishBook(_ tick: inout Tick, _ header: FeedHeader, _ book: FeedBook, isWhole: Bool) -> Bool {
        let hasBids = isWhole || header.present & FeedField.bids != 0
        let hasAsks = isWhole || header.present & FeedField.asks != 0
        guard hasBids || hasAsks else { return false }
        tick.mode = .depth
        if hasBids {
            book.fill(bids, price: FeedField.bidPrice)
            tick.bid = bids.top
        }
        if hasAsks {
            book.fill(asks, price: FeedField.askPrice)
            tick.ask = asks.top
        }
        // Three calls, because an optional side would be counted as a reference more.
        if hasBids, hasAsks {
            host.publish(tick, bids: bids, asks: asks)
        } else if hasBids {
            host.publish(tick, bids: bids, asks: nil)
        } else {
            host.publish(tick, bids: nil, asks: asks)
        }
        return true
    }

    /// What a delta leaves out has not changed: the feed time is still the last one, as long as its second may last. The
    /// time of the last trade has no date. It is of today when something has traded today, and the feed's time, or that it
    /// comes by itself, says when today is; else it is of a day that the wire does not name.
    private func setTimes(
        _ tick: inout Tick, _ header: FeedHeader, _ book: FeedBook, _ scrip: UnsafePointer<Scrip>, _ receivedAt: UInt64
    ) {
        let feedTime = scrip.pointee.feedTime
        if feedTime > 0, receivedAt < scrip.pointee.feedTimeReceivedAt &+ Self.feedTimeLasts {
            tick.exchangeTime = UInt64(feedTime) &* 1_000_000_000
            if feedTime > Int64(receivedAt / 1_000_000_000) + Self.longestLead { tick.flags.insert(.badTime) }
        }
        guard header.has(FeedField.lastTradeTime), book.state.pointee.hasTraded,
            feedTime > 0 || header.kind == FeedKind.depthDelta
        else { return }
        let seconds = decoder.numbers.scaled(FeedField.lastTradeTime, places: 0) ?? 0
        if let time = IndianTime.tradeTime(seconds, feed: scrip.pointee.feedClock(at: receivedAt)) {
            tick.lastTradeTime = UInt64(time) * 1_000_000_000
        }
    }
}
