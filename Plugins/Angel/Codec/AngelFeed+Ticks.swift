import AdapterKit

// From a packet to a tick. Nothing here allocates, undecodable packets excepted.
extension AngelFeed {
    /// While both books flow, the twenty levels of mode 4 stand and the five of mode 3 are left out. When mode 4 has
    /// been silent for so long, five fresh levels are better than twenty old ones. ns.
    private static let deepBookPatience: UInt64 = 10_000_000_000

    func take(_ bytes: Bytes, receivedAt: UInt64) {
        let packet: Packet
        do throws(PacketFault) {
            packet = try Packet(bytes)
        } catch {
            return countBad(bytes, error)
        }
        guard let place = lines.place(of: packet.key), let line = lines[place] else {
            // Of an instrument that was unsubscribed a moment ago.
            return host.count(.framesIgnored)
        }
        if line.awaited.contains(packet.mode) { confirm(place, packet.mode) }
        var tick = Tick(
            instrument: line.handle, mode: packet.mode.mode, priceExponent: line.priceExponent, receivedAt: receivedAt)
        tick.flags = .last
        guard packet.mode != .depth20 else { return publishDeepBook(packet, &tick, line, place, receivedAt) }
        fill(&tick, from: packet, line)
        switch packet.mode {
        case .snapQuote:
            publishSnapQuote(packet, &tick, line, receivedAt)
        case .quote:
            host.publish(tick)
        default:
            // Nothing has ever traded.
            guard !tick.isEmpty else { return host.count(.framesIgnored) }
            host.publish(tick)
        }
    }

    /// What modes 1 to 3 have in common. 0 is how the wire leaves a price out; for an index everything but prices and
    /// volume is always 0 and left out too.
    @inline(__always)
    private func fill(_ tick: inout Tick, from packet: Packet, _ line: FeedLine) {
        // An index has no number of its own.
        if !line.isIndex, let sequence = packet.quantity(27) { tick.sequence = UInt64(sequence) }
        tick.exchangeTime = packet.milliseconds(35)
        if packet.isBadTime(35) { tick.flags.insert(.badTime) }
        tick.lastPrice = packet.price(43)
        guard packet.mode != .lastPrice else { return }
        // A packet of an older mode, which may still arrive after a change, knows less than what is known by then.
        if line.modes.contains(packet.mode) { tick.flags.insert(.snapshot) }
        tick.averagePrice = packet.price(59)
        tick.open = packet.price(91)
        tick.high = packet.price(99)
        tick.low = packet.price(107)
        tick.previousClose = packet.price(115)
        if let quantity = packet.quantity(51), quantity > 0 { tick.lastQuantity = quantity }
        if let volume = packet.quantity(67), volume > 0 || !line.isIndex { tick.volume = volume }
        guard !line.isIndex else { return }
        tick.totalBuyQuantity = packet.wholeDouble(75)
        tick.totalSellQuantity = packet.wholeDouble(83)
    }

    @inline(__always)
    private func publishSnapQuote(_ packet: Packet, _ tick: inout Tick, _ line: FeedLine, _ receivedAt: UInt64) {
        tick.lastTradeTime = packet.tradeTime(123)
        if line.segment.hasOpenInterest { tick.openInterest = packet.quantity(131) }
        // The change of the open interest, at 139, is a dummy.
        tick.upperLimit = packet.price(347)
        tick.lowerLimit = packet.price(355)
        tick.yearHigh = packet.price(363)
        tick.yearLow = packet.price(371)
        guard !line.isIndex else {
            host.publish(tick)
            return
        }
        // Twenty levels are left alone, which a snapshot of Depth without a book would not do.
        let isDeep = line.modes.contains(.depth20) && receivedAt < line.deepBookAt &+ Self.deepBookPatience
        if isDeep { tick.mode = .quote }
        let areBids = packet.readBestFive(147, flag: 1, into: bids)
        let areAsks = packet.readBestFive(247, flag: 0, into: asks)
        guard areBids, areAsks else {
            warnOfSides(line)
            host.publish(tick)
            return
        }
        tick.bid = bids.top
        tick.ask = asks.top
        if isDeep {
            host.publish(tick)
        } else {
            host.publish(tick, bids: bids, asks: asks)
        }
    }

    /// Mode 4 has the book and its time, no more.
    private func publishDeepBook(
        _ packet: Packet, _ tick: inout Tick, _ line: FeedLine, _ place: Int, _ receivedAt: UInt64
    ) {
        // Late, after the wish has become smaller: it would bring twenty levels to those who want five.
        guard line.modes.contains(.depth20) else { return host.count(.framesIgnored) }
        lines.noteDeepBook(place, at: receivedAt)
        tick.exchangeTime = packet.milliseconds(27)
        if packet.isBadTime(27) { tick.flags.insert(.badTime) }
        packet.readTwenty(43, into: bids)
        packet.readTwenty(243, into: asks)
        host.publish(tick, bids: bids, asks: asks)
    }

    /// A packet of a mode that was asked for has come.
    private func confirm(_ place: Int, _ mode: FeedMode) {
        lines.update(place) { $0.awaited.remove(FeedModes(mode)) }
        guard let line = lines[place], line.awaited.isEmpty else { return }
        settle(line.handle, .acknowledged)
    }

    private func countBad(_ bytes: Bytes, _ fault: PacketFault) {
        host.count(.framesBad)
        let first = bytes[0].map { "\($0)" } ?? "none"
        let why =
            switch fault {
            case .mode: "its mode, \(first), is none of 1 to 4"
            case .size: "a packet of mode \(first) has another size"
            case .token: "its token is no number"
            }
        host.log(.warning, "undecodable packet of \(bytes.count) bytes: \(why)")
    }

    private func warnOfSides(_ line: FeedLine) {
        host.count(.framesBad)
        guard !hasWarnedOfSides else { return }
        hasWarnedOfSides = true
        host.log(
            .warning,
            "the book of token \(line.token) in \(line.segment.exchange) says \"sell\" among the bids or \"buy\" among "
                + "the asks; such books are left out")
    }
}
