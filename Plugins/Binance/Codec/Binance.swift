import AdapterKit

/// Market data of Binance's spot market, from its combined streams.
///
/// There is no handshake: an open socket is an accepted one. Which streams flow through which socket is the business of
/// ``StreamSockets``; which pairs there are is asked of the REST API, see ``Pairs``.
public final class Binance: BaseAdapter {
    static let exchange = "CRYPTO"
    static let publicEndpoint = "wss://stream.binance.com:9443"
    /// Prices come with up to 8 decimals.
    static let priceExponent: Int8 = -8

    private let trades: StreamKinds
    var sockets: StreamSockets
    var pairs: Pairs
    var instruments: [Instrument] = []
    /// Index into ``instruments`` by symbol in lower case.
    var indices = BytesMap<Int>()
    private var indexOfHandle: [UInt32: Int] = [:]
    private var freeIndices: [Int] = []
    /// Wishes that have no answer yet: they wait for the list of pairs. A success that no tick follows helps nobody.
    var unsettled: [(request: SubscriptionRequest, outcome: SubscriptionOutcome)] = []

    let bids = LevelBuffer(capacity: 20)
    let asks = LevelBuffer(capacity: 20)

    /// Reads the settings.
    override public init(_ context: AdapterContext) throws(AdapterError) {
        let endpoint = context.host.config("endpoint") ?? Self.publicEndpoint
        guard endpoint.hasPrefix("wss://") || endpoint.hasPrefix("ws://") else {
            throw AdapterError(.invalid, "endpoint must begin with ws:// or wss://")
        }
        switch context.host.config("trades") ?? "both" {
        case "both": trades = .trades
        case "trade": trades = .trade
        case "aggTrade": trades = .aggregateTrade
        case let other: throw AdapterError(.invalid, "trades must be both, trade or aggTrade, not \"\(other)\"")
        }
        let pulse = context.host.config("pulse") ?? ""
        guard StreamSockets.isStream(pulse) else {
            throw AdapterError(.invalid, "pulse must be a stream such as btcusdt@ticker, not \"\(pulse)\"")
        }
        sockets = StreamSockets(endpoint: endpoint, pulse: pulse)
        pairs = try Pairs(context.host.config("rest_endpoint") ?? "", endpoint: endpoint)
        try super.init(context)
    }

    override public func connect(credentials: Credentials) throws(AdapterError) {
        forgetInstruments()
        sockets.reset()
        pairs.forgetRequest()
        sockets.current = StreamSockets.Connection(socket: try openSocket(sockets.url([String]())), carried: [])
    }

    override public func disconnect() {
        forgetInstruments()
        sockets.reset()
        pairs.forgetRequest()
    }

    override public func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        for request in requests {
            guard request.exchange == Self.exchange, Self.isSymbol(request.symbol) else {
                let upper = request.symbol.uppercased()
                let isNear = request.exchange == Self.exchange && upper != request.symbol && Self.isSymbol(upper)
                rejectUnknownSymbol(request, suggestion: isNear ? upper : nil)
                continue
            }
            let levels = request.mode == .depth ? grantedDepth(for: request) : 0
            add(request, levels: levels)
            let isLess = request.mode == .depth && levels != request.depth
            unsettled.append((request, isLess ? .downgraded(to: request.mode, depth: levels) : .sent))
        }
        checkPairs()
        streamsChanged()
    }

    override public func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        for request in requests { remove(request.handle) }
        streamsChanged()
    }

    override public func receive(_ frame: Frame) {
        take(frame)
    }

    override public func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
        socketOpened(socket)
    }

    override public func closed(_ socket: SocketID, tag: UInt64, code: UInt32, refusal: Response?) {
        socketClosed(socket, code: code, refusal: refusal)
    }

    override public func timer(_ timer: TimerID, tag: UInt64, now: UInt64) {
        timerRanOut(timer, for: StreamSockets.Purpose(rawValue: tag))
    }

    override public func fetched(_ id: FetchID, tag: UInt64, response: Response) {
        pairsFetched(id, response)
    }

    // MARK: - Instruments

    /// The names of all streams that are wanted, oldest instrument first.
    var wantedStreams: [String] {
        instruments.flatMap { $0.kinds.names(of: $0.symbol) }
    }

    private func add(_ request: SubscriptionRequest, levels: Int) {
        let kinds = StreamKinds(mode: request.mode, levels: levels, trades: trades)
        let symbol = request.symbol.lowercased()
        if let index = indices[symbol] {
            indexOfHandle[instruments[index].handle] = nil
            indexOfHandle[request.handle] = index
            instruments[index].handle = request.handle
            instruments[index].kinds = kinds
            instruments[index].levels = levels
            return
        }
        let instrument = Instrument(handle: request.handle, symbol: symbol, kinds: kinds, levels: levels)
        let index: Int
        if let free = freeIndices.popLast() {
            instruments[free] = instrument
            index = free
        } else {
            index = instruments.count
            instruments.append(instrument)
        }
        indices[symbol] = index
        indexOfHandle[request.handle] = index
    }

    func remove(_ handle: UInt32) {
        guard let index = indexOfHandle.removeValue(forKey: handle) else { return }
        indices[instruments[index].symbol] = nil
        // The place is kept, empty, so that the indices of the others stay true.
        instruments[index].kinds = []
        freeIndices.append(index)
    }

    private func forgetInstruments() {
        instruments.removeAll()
        indices.removeAll()
        indexOfHandle.removeAll()
        freeIndices.removeAll()
        unsettled.removeAll()
    }

    /// Capitals and digits of any script: pairs are named after their coins, and some coins have Chinese names. Nothing
    /// that could end a stream's name (`@`, `/`) or a JSON text.
    private static func isSymbol(_ symbol: String) -> Bool {
        guard (2...24).contains(symbol.unicodeScalars.count) else { return false }
        return symbol.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .otherLetter, .decimalNumber, .nonspacingMark, .spacingMark: true
            // Letters whose script has no capitals for them stay as they are.
            case .lowercaseLetter, .modifierLetter:
                !scalar.isASCII && scalar.properties.uppercaseMapping == String(scalar)
            default: false
            }
        }
    }
}
