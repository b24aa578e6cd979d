import MarketData
import Synchronization

/// An instrument master that a test changes.
final class MasterDouble: InstrumentDirectory {
    private struct State {
        var rows: [Instrument: Listing]?
        /// Look-ups after which an instrument is gone.
        var lives: [Instrument: Int] = [:]
        var searches = 0
    }

    private let state = Mutex(State())

    /// Searches by resemblance so far.
    var searches: Int { state.withLock { $0.searches } }

    /// Lists a symbol of NSE under a token.
    func list(_ symbol: String, token: String, exchange: String = "NSE") {
        let row = Listing(
            instrument: Instrument(exchange: exchange, symbol: symbol), brokerSymbol: "\(symbol)-EQ",
            brokerExchange: "nse_cm", brokerToken: token, priceExponent: -2, tickSize: 5, lotSize: 25)
        state.withLock { $0.rows = ($0.rows ?? [:]).merging([row.instrument: row]) { $1 } }
    }

    func remove(_ symbol: String, afterLookUps lives: Int = 0) {
        let instrument = Instrument(exchange: "NSE", symbol: symbol)
        state.withLock { if lives == 0 { $0.rows?[instrument] = nil } else { $0.lives[instrument] = lives } }
    }

    func count(broker: String) -> Int? { state.withLock { $0.rows?.count } }

    func listing(of instrument: Instrument, broker: String) -> Listing? {
        state.withLock { state in
            if let lives = state.lives[instrument] {
                guard lives > 0 else { return nil }
                state.lives[instrument] = lives - 1
            }
            return state.rows?[instrument]
        }
    }

    func instrument(broker: String, brokerExchange: String, brokerToken: String) -> Instrument? {
        find { $0.brokerExchange == brokerExchange && $0.brokerToken == brokerToken }
    }

    func instrument(broker: String, brokerExchange: String, brokerSymbol: String) -> Instrument? {
        find { $0.brokerExchange == brokerExchange && $0.brokerSymbol == brokerSymbol }
    }

    private func find(_ fits: (Listing) -> Bool) -> Instrument? {
        state.withLock { $0.rows?.values.first(where: fits)?.instrument }
    }

    /// Those that begin with the same letter, in the order of the alphabet.
    func nearMatches(_ instrument: Instrument, broker: String, limit: Int) -> [Instrument] {
        state.withLock { state in
            state.searches += 1
            let names = state.rows?.keys.filter { $0.symbol.first == instrument.symbol.first } ?? []
            return Array(names.sorted { $0.symbol < $1.symbol }.prefix(limit))
        }
    }
}
