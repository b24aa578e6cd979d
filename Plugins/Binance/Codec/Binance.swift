import AdapterKit

/// Market data of Binance's spot market, from its combined streams.
///
/// There is no handshake, so a connection is ready before it has a socket: the socket is opened when the first
/// instruments are wanted and closed when the last one goes. Which streams flow through which socket is the business of
/// ``StreamSockets``.
public final class Binance: BaseAdapter {
    static let exchange = "CRYPTO"
    /// Prices come with up to 8 decimals.
    static let priceExponent: Int8 = -8

    private let trades: StreamKinds
    var sockets: StreamSockets
    var instruments: [Instrument] = []
    /// Index into ``instruments`` by symbol in lower case.
    var indices = BytesMap<Int>()
    private var indexOfHandle: [UInt32: Int] = [:]
    private var freeIndices: [Int] = []
    /// Wishes that have no answer yet. While the server cannot be reached they wait for a socket: a success that no tick
    /// follows helps nobody.
    private var unsettled: [(handle: UInt32, outcome: SubscriptionOutcome)] = []

    let bids = LevelBuffer(capacity: 20)
    let asks = LevelBuffer(capacity: 20)

    /// Reads the settings.
    override public init(_ context: AdapterContext) throws(AdapterError) {
        let endpoint = context.host.config("endpoint") ?? "wss://stream.binance.com:9443"
        guard endpoint.hasPrefix("wss://") || endpoint.hasPrefix("ws://") else {
            throw AdapterError(.invalid, "endpoint must begin with ws:// or wss://")
        }
        switch context.host.config("trades") ?? "both" {
        case "both": trades = .trades
        case "trade": trades = .trade
        case "aggTrade": trades = .aggregateTrade
        case let other: throw AdapterError(.invalid, "trades must be both, trade or aggTrade, not \"\(other)\"")
        }
        sockets = StreamSockets(endpoint: endpoint)
        try super.init(context)
    }

    override public func connect(credentials: Credentials) throws(AdapterError) {
        forgetInstruments()
        sockets.reset()
        ready()
    }

    override public func disconnect() {
        forgetInstruments()
        sockets.reset()
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
            unsettled.append((request.handle, isLess ? .downgraded(to: request.mode, depth: levels) : .sent))
        }
        if sockets.current?.isOpen == true || sockets.failures == 0 { settleAll() } else { settleSoon() }
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

    /// Answers the wishes that wait.
    func settleAll() {
        let waiting = unsettled
        unsettled.removeAll()
        for (handle, outcome) in waiting { settle(handle, outcome) }
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

    private func remove(_ handle: UInt32) {
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
