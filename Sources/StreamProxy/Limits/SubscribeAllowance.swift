import MarketData

/// What the limits leave of one request to subscribe. Each entry is looked at by itself, in order: those that fit are
/// subscribed, the others are refused.
struct SubscribeAllowance: Sendable {
    /// So many entries, the first ones, are within the rate.
    let inTime: Int
    /// Why the others are not looked at.
    let late: Rejection?
    /// What the client holds; nil if the key sets no limit.
    private var tally: InstrumentTally?
    /// What the tally held before the request.
    private let held: Int
    /// Nil while the client's own limit is out of reach.
    var room: InstrumentRoom?

    init(inTime: Int, late: Rejection?, tally: InstrumentTally?) {
        self.inTime = inTime
        self.late = late
        self.tally = tally
        held = tally?.count ?? 0
    }

    /// Whether the client's own limit has refused something.
    var isRoomExceeded: Bool { room?.isExceeded ?? false }

    /// - Parameter number: Position of the entry in the request, from 0.
    func checkRate(_ number: Int) throws(Rejection) {
        if let late, number >= inTime { throw late }
    }

    /// Counts an instrument, unless it counts already.
    /// - Parameter written: As the client wrote it.
    mutating func admit(_ written: Instrument, broker: String) throws(Rejection) {
        try room?.check(written)
        if let limit = tally?.limit, tally?.admit(written.withoutLevels, broker: broker) == false {
            throw .tooMany(limit: limit, held: held, asked: (tally?.count ?? held) - held)
        }
        room?.take(written)
    }
}

/// The instruments that a client may still have, by the names that it gives them.
struct InstrumentRoom: Sendable {
    /// Most at a time.
    let limit: Int
    /// What the client has.
    let held: Int
    /// What counts already: of the request's instruments those that the client has, and those before this one.
    private var known: Set<Instrument>
    private var asked = 0
    /// Whether something was refused.
    private(set) var isExceeded = false

    init(limit: Int, held: Int, known: Set<Instrument>) {
        self.limit = limit
        self.held = held
        self.known = known
    }

    mutating func check(_ written: Instrument) throws(Rejection) {
        guard !known.contains(written), held + asked >= limit else { return }
        isExceeded = true
        throw Rejection(
            .capacity,
            "One client may hold \(limit) instruments (\(Rejection.numbers(held, asked))); unsubscribe some first")
    }

    mutating func take(_ written: Instrument) {
        if known.insert(written).inserted { asked += 1 }
    }
}

extension Rejection {
    static func tooMany(limit: Int, held: Int, asked: Int) -> Rejection {
        Rejection(
            .capacity,
            "This API key permits \(limit) instruments at a time (\(numbers(held, asked))); unsubscribe some first")
    }

    /// - Parameter asked: Of the same request, before the entry that is refused.
    static func numbers(_ held: Int, _ asked: Int) -> String {
        asked == 0 ? "\(held) held" : "\(held) held, \(asked) more in this request"
    }
}
