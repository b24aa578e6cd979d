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
    /// Heartbeats in the time that the broker may be silent: two and a half. One may go astray.
    static func heartbeat(silence: Duration) -> Duration { silence * 2 / 5 }
    /// Looks at the silence in the time that it may last.
    private static let looks = 5
    /// After another login has taken the session over: fighting for it helps nobody. Seconds.
    static let replacedPause = 60
    /// A complaint that came no longer before the end is why it came. ns.
    static let farewellTime: UInt64 = 5_000_000_000

    /// What a timer is for; its raw value is the timer's tag.
    enum Purpose: UInt64 {
        case login = 1
        case pace = 2
        case silence = 3
    }

    let endpoint: String
    let generationOfProtocol: LoginMessage.Generation
    /// Before a refused login is tried again. Seconds.
    let cooldown: Int
    /// A session that brings nothing for so long, not even an answer to a heartbeat, is dead, whatever the socket says:
    /// a server whose token has died keeps the socket open and mute.
    let silence: Duration

    var socket: SocketID?
    /// From `connect` until the broker has answered.
    var login: LoginMessage?
    var loginTimer: TimerID?
    /// When the last message came: ns since the Unix epoch, UTC.
    var lastHeard: UInt64 = 0
    /// What the broker has complained of last, and when: ns since the Unix epoch, UTC.
    var lastComplaint = ""
    var complainedAt: UInt64 = 0
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
        silence = .seconds(try context.host.config("silence", default: 75, in: 5...100))
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
        case .silence:
            checkSilence(now)
        case nil:
            break
        }
    }

    /// Sends heartbeats and watches for their answers.
    func startHeartbeats(on socket: SocketID) throws(AdapterError) {
        try startHeartbeat(Array(#"{"t":"h"}"#.utf8), on: socket, every: Self.heartbeat(silence: silence))
        let step = silence / Self.looks
        try startTimer(after: step, every: step, tag: Purpose.silence.rawValue)
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
        lastComplaint = ""
        userID = ""
        paceTimer = nil
        outbox.removeAll()
        table.removeAll()
    }
}
