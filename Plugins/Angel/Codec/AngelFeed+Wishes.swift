import AdapterKit

// From a wish to a line.
extension AngelFeed {
    /// The place of the wish's line, which is made if there is none. Nil for a wish that cannot be met: it is refused.
    func place(for request: SubscriptionRequest) -> Int? {
        guard let instrument = identify(request) else { return nil }
        if let place = lines.place(of: request.handle) {
            if lines[place]?.key == instrument.key { return place }
            // The instrument has another token since then.
            var removals = FeedChanges()
            if let line = lines.remove(request.handle) { removals.add(line.modes, of: line) }
            send(removals, .unsubscribe)
        }
        guard lines.place(of: instrument.key) == nil else {
            settle(
                request.handle,
                .rejected(
                    .invalid,
                    message:
                        "\(request.exchange):\(request.symbol) is token \(request.brokerToken) at Angel One, which is "
                        + "subscribed under another symbol already"))
            return nil
        }
        return lines.add(instrument)
    }

    /// What a wish needs; tells the client if it gets less than it has asked for.
    func modes(for request: SubscriptionRequest) -> FeedModes {
        guard request.mode == .depth else { return FeedModes(request.mode, levels: 0) }
        let levels = grantedDepth(for: request)
        if levels < request.depth {
            let message = "Angel One has \(levels) levels on \(request.exchange)"
            settle(request.handle, .downgraded(to: .depth, depth: levels, message: message))
        }
        return FeedModes(.depth, levels: levels)
    }

    private func identify(_ request: SubscriptionRequest) -> FeedLine? {
        guard !request.brokerToken.isEmpty else {
            reject(
                request,
                "the instrument master of Angel One has no token for it; load it again with: feedhost instruments sync "
                    + "angel")
            return nil
        }
        var segmentName = request.brokerExchange.isEmpty ? request.exchange : request.brokerExchange
        if segmentName.hasSuffix("_INDEX") { segmentName.removeLast(6) }
        guard let segment = segmentName.withUTF8({ Segment(Bytes($0)) }) else {
            reject(request, "Angel One's feed does not carry the segment \(segmentName)")
            return nil
        }
        var token = request.brokerToken
        guard let number = token.withUTF8({ InstrumentKey.token(Bytes($0)) }) else {
            reject(request, "\"\(token)\" is no token of Angel One: those are whole numbers")
            return nil
        }
        return FeedLine(
            handle: request.handle, key: InstrumentKey(segment: segment.rawValue, token: number), segment: segment,
            token: token, isIndex: request.exchange.hasSuffix("_INDEX"), priceExponent: segment.priceExponent)
    }

    private func reject(_ request: SubscriptionRequest, _ why: String) {
        settle(
            request.handle,
            .rejected(.unknownInstrument, message: "Symbol \(request.symbol) on \(request.exchange): \(why)"))
    }
}
