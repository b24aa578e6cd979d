import AdapterKit

/// Market data and order updates of one Kite Connect socket.
///
/// The address carries the login, so an open socket is an accepted one. Requests are not confirmed: data begins to flow.
/// Kite's tokens are unique across its exchanges, so a token alone leads to the instrument.
public final class Zerodha: BaseAdapter {
    /// How long to wait when all connections of the app are in use; Kite counts one that broke off for a while yet.
    private static let connectionLimitPause = Duration.seconds(10)
    /// What Kite's own refusals of a login say (Kite Connect documentation, "Exceptions and errors"). A 401 or 403 without
    /// any of it comes from something on the way, and a 400 is about the request.
    private static let verdicts = ["TokenException", "PermissionException", "access_token", "api_key"]

    private let endpoint: String
    private var socket: SocketID?
    /// By token.
    let subscriptions = IntegerMap<Subscription>()
    /// What each instrument was subscribed with: the host may know another token by the time it lets it go.
    private var tokens: [UInt32: UInt32] = [:]
    let bids = LevelBuffer(capacity: 5)
    let asks = LevelBuffer(capacity: 5)
    /// Whether packets of an unknown length have been told of on this connection.
    var hasToldOfUnknownPackets = false

    /// Reads the settings.
    override public init(_ context: AdapterContext) throws(AdapterError) {
        endpoint = context.host.config("endpoint") ?? "wss://ws.kite.trade"
        guard endpoint.hasPrefix("wss://") || endpoint.hasPrefix("ws://") else {
            throw AdapterError(.invalid, "endpoint must begin with ws:// or wss://")
        }
        try super.init(context)
    }

    // MARK: - Connection

    override public func connect(credentials: Credentials) throws(AdapterError) {
        forgetEverything()
        let login = try Login(apiKey: credentials.apiKey, accessToken: credentials.accessToken)
        socket = try openSocket(login.tickerURL(endpoint), headers: [Login.versionHeader])
    }

    override public func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
        ready()
    }

    override public func closed(_ socket: SocketID, tag: UInt64, code: UInt32, refusal: Response?) {
        forgetEverything()
        let status = refusal?.httpStatus ?? 0
        switch status {
        case 401 where refusal?.says(Self.verdicts) == true, 403 where refusal?.says(Self.verdicts) == true:
            disconnected(
                .authenticationRejected,
                message: "Kite refuses api_key or access_token (HTTP \(status)); a token lives until the next morning, "
                    + "and the app needs a paid Connect plan",
                brokerCode: Int32(status))
        case 429:
            disconnected(
                .connectionLimit, message: "Kite allows an app 3 connections, and all are in use (HTTP 429)",
                retryAfter: refusal?.retryAfter ?? Self.connectionLimitPause, brokerCode: 429)
        default:
            lostConnection(code: code, refusal: refusal)
        }
    }

    override public func disconnect() {
        forgetEverything()
    }

    private func forgetEverything() {
        socket = nil
        subscriptions.removeAll()
        tokens.removeAll(keepingCapacity: true)
        hasToldOfUnknownPackets = false
    }

    override public func receive(_ frame: Frame) {
        if frame.opcode == .binary {
            takeTicks(frame)
        } else if frame.opcode == .text {
            takeText(frame.bytes)
        }
    }

    // MARK: - Subscriptions

    override public func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        var changed: [(token: UInt32, isNew: Bool)] = []
        var surplus: [UInt32] = []
        for request in requests {
            guard let token = Self.token(request.brokerToken) else {
                settle(request.handle, .rejected(.unknownInstrument, message: Self.noToken(request)))
                continue
            }
            if let old = tokens[request.handle], old != token, release(old, of: request.handle) { surplus.append(old) }
            let known = subscriptions[UInt64(token)]
            let wanted = Subscription(token: token, handle: request.handle, mode: FeedMode(request.mode))
            subscriptions[UInt64(token)] = wanted
            tokens[request.handle] = token
            if known?.mode != wanted.mode { changed.append((token, known == nil)) }
            let levels = request.mode == .depth ? grantedDepth(for: request) : 0
            settle(request.handle, levels == request.depth ? .sent : .downgraded(to: request.mode, depth: levels))
        }
        guard sendUnsubscribe(surplus) else { return }
        // One call may name a token twice, or give it up again.
        var named: Set<UInt32> = []
        changed = changed.filter { subscriptions[UInt64($0.token)] != nil && named.insert($0.token).inserted }
        for batch in TickerRequest.batches(changed) {
            let new = batch.filter(\.isNew).map(\.token)
            guard new.isEmpty || transmit(TickerRequest.subscribe(new)) else { return }
            for mode in [FeedMode.lastPrice, .quote, .full] {
                let tokens = batch.map(\.token).filter { subscriptions[UInt64($0)]?.mode == mode }
                guard tokens.isEmpty || transmit(TickerRequest.mode(mode, tokens)) else { return }
            }
        }
    }

    override public func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        var surplus: [UInt32] = []
        for request in requests {
            guard let token = tokens.removeValue(forKey: request.handle), release(token, of: request.handle) else {
                continue
            }
            surplus.append(token)
        }
        _ = sendUnsubscribe(surplus)
    }

    /// Forgets a token, unless it belongs to another instrument by now.
    private func release(_ token: UInt32, of handle: UInt32) -> Bool {
        guard subscriptions[UInt64(token)]?.handle == handle else { return false }
        subscriptions[UInt64(token)] = nil
        return true
    }

    private func sendUnsubscribe(_ tokens: [UInt32]) -> Bool {
        for batch in TickerRequest.batches(tokens) {
            guard transmit(TickerRequest.unsubscribe(Array(batch))) else { return false }
        }
        return true
    }

    /// Sends a request. One that cannot be sent would leave Kite with other subscriptions than are wanted, so the
    /// connection is given up: the next one starts from what is wanted.
    private func transmit(_ request: String) -> Bool {
        guard let socket else { return false }
        guard send(request, on: socket).isSuccess else {
            forgetEverything()
            disconnected(.network, message: "Kite does not take requests any more: too many wait to be sent")
            return false
        }
        return true
    }

    /// The number in `text`; OpenAlgo writes the exchange's own token behind it, after `::::`.
    private static func token(_ text: String) -> UInt32? {
        let token = UInt32(text.prefix { $0 != ":" })
        return token == 0 ? nil : token
    }

    private static func noToken(_ request: SubscriptionRequest) -> String {
        let name = "\(request.symbol) on \(request.exchange)"
        return request.brokerToken.isEmpty
            ? "\(name) has no Kite token; load the instruments with: feedhost instruments sync zerodha"
            : "\(name) has the token \"\(request.brokerToken)\", which is no Kite token; load the instruments again"
    }
}
