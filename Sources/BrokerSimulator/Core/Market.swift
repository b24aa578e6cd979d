import MarketData

/// All instruments and their values, walking at random. Deterministic: the n-th step of an instrument depends on the
/// seed, the instrument and n alone; only times come from the clock. Confined to the simulation's event loop.
final class Market {
    let instruments: [SimulatedInstrument]
    private(set) var quotes: [Quote]
    /// ns since the Unix epoch: the real one, or the caller's.
    let clock: @Sendable () -> UInt64
    private var draws: [Draws]

    init(
        instruments: [SimulatedInstrument], seed: UInt64, clock: @escaping @Sendable () -> UInt64 = { WallClock.now() }
    ) {
        self.instruments = instruments
        self.clock = clock
        var draws = instruments.indices.map { Draws(seed: seed, stream: $0) }
        let now = clock()
        quotes = instruments.indices.map { index in
            Walk.opening(of: instruments[index], now: now, draws: &draws[index])
        }
        self.draws = draws
    }

    /// Moves one instrument by one step: a trade, or only a change of the book.
    func step(_ index: Int) {
        Walk.step(&quotes[index], of: instruments[index], now: clock(), draws: &draws[index])
    }

    /// Changes values by hand.
    func change(_ index: Int, _ body: (inout Quote) -> Void) {
        body(&quotes[index])
        quotes[index].version += 1
    }

    /// The instrument of a symbol in the words of OpenAlgo: `NSE:INFY`.
    func index(ofSymbol name: String) -> Int? { bySymbol[name] }

    private lazy var bySymbol = places { "\(instruments[$0].segment.rawValue):\(instruments[$0].symbol)" }

    /// Places of instruments by whatever names them; of two with one name the first. Nil has none.
    func places<Key: Hashable>(_ key: (Int) -> Key?) -> [Key: Int] {
        Dictionary(
            instruments.indices.compactMap { place in key(place).map { ($0, place) } },
            uniquingKeysWith: { first, _ in first })
    }
}
