import Adapters
import MarketData

/// Names that clients use, and what the broker calls them.
extension BrokerSession {
    /// True when the adapter wants the broker's tokens. One without an instrument master gets every symbol as it is.
    nonisolated var needsListing: Bool {
        adapter.hasMaster && !adapter.capabilities.flags.contains(.anySymbol)
    }

    /// Wrong symbols of one request that are looked for by resemblance, which takes longer than a look-up.
    nonisolated static let mostHints = 16
    private static let matches = 3

    /// The wish for an instrument whose name only looks as if it ended with levels, as `BSE SENSEX SIXTY 65:35`: a name that
    /// the broker has, as it was written, comes first. Any thread.
    nonisolated func literal(_ wish: Wish) -> Wish {
        guard wish.suffixed, needsListing else { return wish }
        let (exchange, symbol) = (wish.instrument.exchange, "\(wish.instrument.symbol):\(wish.depth)")
        let written = Instrument(exchange: exchange, symbol: symbol)
        guard environment.masters.listing(of: written, broker: broker) != nil else { return wish }
        return Wish(instrument: written, mode: wish.mode)
    }

    /// Why a wish cannot be served, whatever connections there are; nil if it can. Any thread.
    /// - Parameter hints: How many resembling symbols may still be looked for.
    nonisolated func refusal(of wish: Wish, hints: inout Int) -> FeedError? {
        let (instrument, exchanges) = (wish.instrument, adapter.capabilities.exchanges)
        guard exchanges.contains(instrument.exchange) else {
            return .notFound(instrument, ": \(broker) offers \(exchanges.joined(separator: ", "))")
        }
        guard modes.contains(wish.mode) else {
            return FeedError(.subscription, "\(broker) does not offer mode \(wish.mode.label)")
        }
        guard needsListing, environment.masters.listing(of: instrument, broker: broker) == nil else { return nil }
        guard environment.masters.count(broker: broker) != nil, hints > 0 else { return unlisted(instrument) }
        hints -= 1
        let near = environment.masters.nearMatches(instrument, broker: broker, limit: BrokerSession.matches)
        guard !near.isEmpty else { return unlisted(instrument) }
        let names = near.map { $0.exchange == instrument.exchange ? $0.symbol : "\($0)" }
        return .notFound(instrument, "; did you mean \(names.joined(separator: ", "))?")
    }

    /// What is said of an instrument that the master does not have.
    nonisolated func unlisted(_ instrument: Instrument) -> FeedError {
        guard environment.masters.count(broker: broker) == nil else { return .notFound(instrument, "") }
        return .notFound(
            instrument,
            ": no instruments of \(broker) are loaded; load them with: feedhost instruments sync \(broker)")
    }

    /// Gives a line what the broker calls it now. Looked up for every send: tokens of derivatives are given to other
    /// contracts after expiry.
    /// - Returns: False when the instrument is no longer listed.
    func list(_ line: inout Line, on link: Link) -> Bool {
        guard needsListing else { return true }
        guard let listing = environment.masters.listing(of: line.instrument, broker: broker) else { return false }
        forgetToken(of: line, on: link)
        line.listing = listing
        link.context.register(exchange: listing.brokerExchange, token: listing.brokerToken, handle: line.handle)
        return true
    }

    func forgetToken(of line: Line, on link: Link) {
        guard let listing = line.listing else { return }
        link.context.forget(exchange: listing.brokerExchange, token: listing.brokerToken, handle: line.handle)
    }
}

extension FeedError {
    fileprivate static func notFound(_ instrument: Instrument, _ rest: String) -> FeedError {
        FeedError(.symbolNotFound, "Symbol \(instrument.symbol) not found for exchange \(instrument.exchange)\(rest)")
    }
}

extension Listing {
    /// True when the broker calls both by the same name.
    func isSame(as other: Listing) -> Bool {
        brokerToken == other.brokerToken && brokerExchange == other.brokerExchange
    }
}
