import AdapterKit

/// A market that is always open: random walks with order books, driven by one timer.
public final class Simulator: BaseAdapter {
    private enum Purpose: UInt64 {
        case ticks = 1
        case snapshots = 2
    }

    let rate: Int
    let seed: UInt64
    private let levels: Int
    private let market: Market

    private var quotes: [Simulated] = []
    private var indexOfHandle: [UInt32: Int] = [:]
    /// Whose turn it is: every instrument gets its tick, one after the other.
    private var turn = 0
    private var pacing: Pacing?
    private var tickTimer: TimerID?
    private var snapshotTimer: TimerID?
    private var snapshotsDue: [UInt32] = []
    private let output: Output

    /// Reads the settings.
    override public init(_ context: AdapterContext) throws(AdapterError) {
        let host = context.host
        rate = try host.config("rate", default: 20, in: Self.rates)
        levels = try host.config("levels", default: 30, in: 5...30)
        guard Self.depthLevels.contains(levels) else {
            throw AdapterError(.invalid, "levels must be 5, 20 or 30, not \(levels)")
        }
        let seed = try host.config("seed", default: 0, in: 0...Int.max)
        self.seed = seed == 0 ? host.now : UInt64(seed)
        market = try Market(extraSymbols: host.config("symbols") ?? "")
        output = Output(host: host)
        try super.init(context)
    }

    override public func connect(credentials: Credentials) throws(AdapterError) {
        forgetAll()
        ready()
    }

    override public func disconnect() {
        forgetAll()
    }

    /// Near matches that are looked for in one request.
    private static let maximumSuggestions = 10

    override public func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        var suggestions = 0
        for request in requests {
            guard let listing = market.listing(request.exchange, request.symbol) else {
                // Who mistypes one symbol is helped; a list of thousands of wrong ones would hold up everybody else.
                let helps = suggestions < Self.maximumSuggestions
                suggestions += 1
                rejectUnknownSymbol(
                    request, suggestion: helps ? market.suggestion(request.exchange, request.symbol) : nil)
                continue
            }
            let depth = request.mode == .depth ? min(levels, grantedDepth(for: request)) : 0
            add(request, listing, depth: depth)
            if depth != request.depth {
                settle(request.handle, .downgraded(to: request.mode, depth: depth))
            } else {
                settle(request.handle, .acknowledged)
            }
        }
        guard !snapshotsDue.isEmpty else { return }
        // The outcomes of this call go first, the snapshots right behind them.
        if snapshotTimer == nil {
            snapshotTimer = try startTimer(after: .zero, tag: Purpose.snapshots.rawValue)
        }
        if tickTimer == nil {
            pacing = Pacing(rate: rate, now: host.now)
            let interval = Duration.microseconds(Pacing.interval(rate: rate))
            tickTimer = try startTimer(after: interval, every: interval, tag: Purpose.ticks.rawValue)
        }
    }

    override public func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        for request in requests { remove(request.handle) }
        if quotes.isEmpty, let tickTimer {
            cancel(tickTimer)
            self.tickTimer = nil
        }
    }

    override public func timer(_ timer: TimerID, tag: UInt64, now: UInt64) {
        switch Purpose(rawValue: tag) {
        case .ticks:
            run(now)
        case .snapshots:
            snapshotTimer = nil
            for handle in snapshotsDue {
                if let index = indexOfHandle[handle] { quotes[index].publishSnapshot(to: output, at: now) }
            }
            output.batch.flush(to: host)
            snapshotsDue.removeAll()
        case nil:
            break
        }
    }

    /// Makes the ticks that are due.
    private func run(_ now: UInt64) {
        guard let due = pacing?.advance(to: now) else { return }
        if due.skipped > 0 { host.count(.ticksDropped, Int64(due.skipped)) }
        guard due.ticks > 0, !quotes.isEmpty else { return }
        let count = quotes.count
        var index = turn < count ? turn : 0
        // One look into the array for all ticks, not one for each.
        quotes.withUnsafeMutableBufferPointer { quotes in
            for _ in 0..<due.ticks {
                quotes[index].publishStep(to: output, at: now)
                index += 1
                if index == count { index = 0 }
            }
        }
        turn = index
        output.batch.flush(to: host)
    }

    private func add(_ request: SubscriptionRequest, _ listing: Listing, depth: Int) {
        if let index = indexOfHandle[request.handle] {
            quotes[index].setMode(request.mode, depth: depth)
        } else {
            indexOfHandle[request.handle] = quotes.count
            var quote = Simulated(
                Walk(
                    handle: request.handle, listing: listing, name: "\(request.exchange):\(request.symbol)", seed: seed),
                name: "\(request.exchange):\(request.symbol)", seed: seed)
            quote.setMode(request.mode, depth: depth)
            quotes.append(quote)
        }
        snapshotsDue.append(request.handle)
    }

    private func remove(_ handle: UInt32) {
        guard let index = indexOfHandle.removeValue(forKey: handle) else { return }
        let last = quotes.removeLast()
        guard index < quotes.count else { return }
        quotes[index] = last
        indexOfHandle[last.walk.handle] = index
    }

    private func forgetAll() {
        quotes.removeAll()
        indexOfHandle.removeAll()
        snapshotsDue.removeAll()
        pacing = nil
        tickTimer = nil
        snapshotTimer = nil
        turn = 0
    }
}
