import Logging
import MarketData
import NIOCore

/// A running simulator: the market, the venue, the connections, and what drives them. Confined to one event loop.
final class Simulation {
    let loop: any EventLoop
    let options: SimulatorOptions
    let market: Market
    /// Made when first used: it wants the whole simulation.
    private(set) lazy var venue: any Venue = options.venue.make(self)
    /// Accepted now; a `roll` changes them.
    var credentials: SimulatorCredentials
    /// Open ones, oldest first.
    private(set) var connections: [VenueConnection] = []
    /// Whether venues send their heartbeats.
    var sendsHeartbeats = true
    var isPaused = false
    var rate: Double
    /// Upgrades are answered with this, so many times more.
    var refusal: (answer: PlainAnswer, times: Int)?
    var log = AttemptLog()
    let startedAt: NIODeadline
    let recorder: Recorder?
    private var nextConnection = 1
    private var orderCount = 0
    private var lastTurn: NIODeadline
    /// The turn in which an instrument has last made its step.
    private var steppedIn: [UInt64]
    private var turn: UInt64 = 0
    private var isOver = false
    /// Places by the broker's key; what it does not carry has none.
    private lazy var keys = market.places { place in
        let key = venue.key(of: place)
        return key.isEmpty ? nil : key
    }

    /// - Throws: When the recording cannot be written.
    init(_ options: SimulatorOptions, on loop: any EventLoop) throws {
        self.loop = loop
        self.options = options
        let clock = options.clock ?? { WallClock.now() }
        let today = CalendarDay(epochSeconds: Int(clock() / 1_000_000_000))
        market = Market(
            instruments: Listings.standard(asOf: today, synthetic: options.syntheticInstruments), seed: options.seed,
            clock: clock)
        credentials = options.credentials
        rate = options.rate
        recorder = try options.record.map { try Recorder(path: $0) }
        startedAt = loop.now
        lastTurn = loop.now
        steppedIn = [UInt64](repeating: 0, count: market.instruments.count)
    }

    /// Starts timers and the script.
    func start() {
        repeated(every: .milliseconds(20)) { $0.takeTurn() }
        repeated(every: .milliseconds(200)) { $0.sweep() }
        for line in options.script?.lines ?? [] {
            schedule(milliseconds: line.milliseconds) { [unowned self] in
                do throws(SimulatorError) {
                    _ = try perform(line.fault)
                } catch {
                    options.logger.error("The script's \(line.fault.name.rawValue) failed: \(error)")
                }
            }
        }
    }

    func end() {
        isOver = true
        for connection in connections { connection.drop() }
        recorder?.close()
    }

    private func repeated(every interval: TimeAmount, _ body: @escaping (Simulation) -> Void) {
        loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            guard let self, !isOver else { return }
            body(self)
            repeated(every: interval, body)
        }
    }

    /// Does something later, on the loop.
    func schedule(milliseconds: Int64, _ body: @escaping () -> Void) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds), body)
    }

    // MARK: Connections

    /// Open connections of one kind that have shown these credentials.
    func connections(kind: String, credentials: String) -> [VenueConnection] {
        let hash = CredentialHash.of(credentials)
        return connections.filter { $0.kind == kind && $0.credentials == hash && $0.isOpen }
    }

    /// Decides on an upgrade, and keeps what was decided.
    func admit(_ request: PlainRequest) -> Admission {
        var admission: Admission
        if let refusal {
            admission = .refuse(refusal.answer, reason: "told to refuse")
            self.refusal = refusal.times > 1 ? (refusal.answer, refusal.times - 1) : nil
        } else {
            admission = venue.admit(request)
        }
        log.add(admission, path: request.path, at: loop.now - startedAt)
        return admission
    }

    func open(_ request: PlainRequest, kind: String, credentials: String, on channel: any Channel) -> VenueConnection {
        let connection = VenueConnection(
            id: nextConnection, kind: kind, credentials: CredentialHash.of(credentials), request: request,
            channel: channel, recorder: recorder)
        nextConnection += 1
        connections.append(connection)
        venue.opened(connection)
        return connection
    }

    func closed(_ connection: VenueConnection) {
        connection.ended()
        guard let place = connections.firstIndex(where: { $0 === connection }) else { return }
        connections.remove(at: place)
        log.ended(connection.counters)
        venue.closed(connection)
    }

    private func sweep() {
        let now = loop.now
        for connection in connections where connection.isOpen && !connection.isStalled {
            venue.sweep(connection, now: now)
        }
        recorder?.flush()
    }

    // MARK: Ticks

    private func takeTurn() {
        let now = loop.now
        // A loop that was held up does not make up for all of it at once.
        let elapsed = min(Double((now - lastTurn).nanoseconds) / 1e9, 0.25)
        lastTurn = now
        guard !isPaused, rate > 0 else { return }
        turn += 1
        for connection in connections where connection.subscriptions.count > 0 && connection.takesTurn() {
            connection.budget += rate * elapsed
            let due = Int(connection.budget)
            guard due > 0 else { continue }
            // What is more than one of each is merged, as brokers do.
            connection.budget -= Double(due)
            sendTicks(connection.subscriptions.next(due), to: connection)
        }
    }

    private func sendTicks(_ entries: [Subscription], to connection: VenueConnection) {
        for entry in entries where steppedIn[entry.instrument] != turn {
            steppedIn[entry.instrument] = turn
            market.step(entry.instrument)
        }
        venue.send(entries, to: connection)
    }

    /// One step for everything that is subscribed, sent to everybody.
    func emit() {
        turn += 1
        for connection in connections where connection.subscriptions.count > 0 && connection.isOpen {
            sendTicks(connection.subscriptions.entries, to: connection)
        }
    }

    /// Sends an instrument's values, as they are, to those who are subscribed.
    func emit(_ instrument: Int) {
        for connection in connections where connection.isOpen {
            let entries = connection.subscriptions.entries.filter { $0.instrument == instrument }
            if !entries.isEmpty { venue.send(entries, to: connection) }
        }
    }

    /// An instrument by the broker's key or OpenAlgo's name (`NSE:INFY`).
    func instrument(named name: String) -> Int? {
        if let index = market.index(ofSymbol: name) { return index }
        return keys[name]
    }

    /// Numbers of orders, as brokers make them: a date and a count.
    func nextOrderID() -> String {
        orderCount += 1
        let digits = String(orderCount)
        let day = CalendarDay(epochSeconds: Int(market.clock() / 1_000_000_000))
        return "\(day.number - 20_000_000)\(String(repeating: "0", count: max(0, 9 - digits.count)))\(digits)"
    }
}
