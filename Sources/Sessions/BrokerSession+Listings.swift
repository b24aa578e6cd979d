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

    /// What the broker calls the instruments now; nil when it gets their names as they are. Looked up for every send:
    /// tokens of derivatives are given to other contracts after expiry.
    func listings(_ handles: [UInt32], on link: BrokerLink) -> [UInt32: Listing]? {
        guard needsListing else { return nil }
        var listings: [UInt32: Listing] = [:]
        for handle in handles {
            guard let instrument = pool.line(handle, on: link.index)?.instrument else { continue }
            listings[handle] = environment.masters.listing(of: instrument, broker: broker)
        }
        return listings
    }
}

extension FeedError {
    fileprivate static func notFound(_ instrument: Instrument, _ rest: String) -> FeedError {
        FeedError(.symbolNotFound, "Symbol \(instrument.symbol) not found for exchange \(instrument.exchange)\(rest)")
    }
}
