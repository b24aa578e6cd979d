import AdapterKit

/// Market data and order updates of the brokers whose servers speak the Noren protocol: Flattrade, Shoonya, Zebu and
/// TradeSmart.
///
/// One session an account: market data and order updates share one WebSocket, whose first message is the login. Which
/// scrips the broker is asked for is decided in ``flush()``, from what is wanted and what was sent; ticks take the short
/// way through ``FeedDecoder`` and ``ScripTable``.
public final class Noren: BaseAdapter {
    /// Between two requests to the broker.
    static let pace = Duration.milliseconds(100)
    /// Scrips in one request.
    static let batch = 100
    /// For the answer to a login.
    static let patience = Duration.seconds(12)
    static let heartbeat = Duration.seconds(30)
    /// After another login has taken the session over: fighting for it helps nobody. Seconds.
    static let replacedPause = 60

    /// What a timer is for; its raw value is the timer's tag.
    enum Purpose: UInt64 {
        case login = 1
        case pace = 2
    }

    let endpoint: String
    let generationOfProtocol: LoginMessage.Generation
    /// Before a refused login is tried again. Seconds.
    let cooldown: Int

    var socket: SocketID?
    /// From `connect` until the broker has answered.
    var login: LoginMessage?
    var loginTimer: TimerID?
    /// The account, for the request of order updates.
    var userID = ""

    let decoder = FeedDecoder()
    let table = ScripTable()
    let bids = LevelBuffer(capacity: FeedField.levels)
    let asks = LevelBuffer(capacity: FeedField.levels)
    /// Places of scrips of which something is still to be told to the broker.
    var outbox: [Int] = []
    var paceTimer: TimerID?

    /// Reads the settings.
    override public init(_ context: AdapterContext) throws(AdapterError) {
        endpoint = context.host.config("endpoint") ?? ""
        guard endpoint.hasPrefix("wss://") || endpoint.hasPrefix("ws://") else {
            throw AdapterError(.invalid, "endpoint must begin with ws:// or wss://")
        }
        let name = context.host.config("protocol") ?? LoginMessage.Generation.new.rawValue
        guard let generation = LoginMessage.Generation(rawValue: name) else {
            throw AdapterError(.invalid, "protocol must be new or old, not \"\(name)\"")
        }
        generationOfProtocol = generation
        cooldown = try context.host.config("cooldown", default: 30, in: 0...3_600)
        try super.init(context)
    }

    override public func connect(credentials: Credentials) throws(AdapterError) {
        forget()
        let login = try LoginMessage(credentials, generationOfProtocol, broker: descriptor.name)
        // With the wait for the answer this stays below the 20 s that the host gives a connection.
        socket = try openSocket(endpoint, timeout: .seconds(7))
        userID = login.userID
        self.login = login
    }

    override public func disconnect() {
        forget()
    }

    override public func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        want(requests)
    }

    override public func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        leave(requests)
    }

    override public func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
        guard socket == self.socket else { return }
        sendLogin(on: socket)
    }

    override public func closed(_ socket: SocketID, tag: UInt64, code: UInt32, refusal: Response?) {
        guard socket == self.socket else { return }
        sessionClosed(code: code, refusal: refusal)
    }

    override public func receive(_ frame: Frame) {
        take(frame)
    }

    override public func timer(_ timer: TimerID, tag: UInt64, now: UInt64) {
        switch Purpose(rawValue: tag) {
        case .login:
            loginTimer = nil
            lose(.network, "\(descriptor.name) has not answered the login within 12 s")
        case .pace:
            paceTimer = nil
            flush()
        case nil:
            break
        }
    }

    override public func startOrders() throws(AdapterError) {
        guard let socket else { throw AdapterError(.wrongState, "not connected") }
        guard send("{\"t\":\"o\",\"actid\":\(JSONText.quoted(userID))}", on: socket).isSuccess else {
            throw AdapterError(.limit, "too much waits to be sent to \(descriptor.name) already")
        }
    }

    override public func stopOrders() {
        guard let socket else { return }
        send(#"{"t":"uo"}"#, on: socket)
    }

    /// Forgets everything of a connection; the kit has closed sockets and timers.
    func forget() {
        socket = nil
        login = nil
        loginTimer = nil
        userID = ""
        paceTimer = nil
        outbox.removeAll()
        table.removeAll()
    }
}
