import Adapters
import MarketData

/// What the broker answers, or does not.
extension Pool {
    /// Why a demand came to nothing.
    enum Refusal {
        /// There is no such instrument.
        case unlisted
        /// There was no answer in time: the broker may serve it all the same.
        case timedOut
        case other
    }

    /// What a grant has changed.
    struct Granted {
        /// True when the broker serves fewer deep books now.
        var hasShrunk = false
        /// True when the instrument has arrived here: ``Pool/finishMoves(_:)`` is to be called.
        var isMoved = false
    }

    /// True when the connection's answer to that request is out for the instrument.
    func isAwaited(_ handle: UInt32, request: UInt64, on link: Int) -> Bool {
        if case .asked(request) = line(handle, on: link)?.phase { true } else { false }
    }

    /// The broker serves what was asked for, or less.
    /// - Parameters:
    ///   - mode: Nil: as asked.
    ///   - depth: 0: as asked.
    mutating func grant(_ handle: UInt32, on link: Int, mode: Mode?, depth: Int) -> Granted {
        guard var line = line(handle, on: link) else { return Granted() }
        // Something else may be wanted by now, and waits to be sent.
        let asked = line.asked ?? line.wanted
        let given = min(mode ?? asked.mode, asked.mode)
        let granted = References.Demand(mode: given, depth: given == .depth ? (depth == 0 ? asked.depth : depth) : 0)
        var change = Granted()
        change.hasShrunk = line.most.isDeep && !granted.isDeep
        line.phase = .granted
        line.served = granted
        line.isUncertain = false
        line.held = granted
        links[link]?.lines[handle] = line
        guard placement[handle] == link else { return change }
        // A line that waits to be sent again has subscribers who want more than this answer gives.
        if !line.isDirty { queue(.answer(handle, .success(granted))) }
        change.isMoved = departures[handle] != nil
        return change
    }

    /// A refusal ends the wishes that wait for it; what was served before stays.
    /// - Returns: False when the instrument has stayed on another connection instead.
    mutating func refuse(_ handle: UInt32, on link: Int, _ refusal: Refusal, _ error: FeedError) -> Bool {
        let isPlaced = placement[handle] == link
        if isPlaced, moveBack(handle, from: link) { return false }
        guard var line = line(handle, on: link) else { return true }
        line.phase = line.served == nil ? .queued : .granted
        // A later refusal does not undo what an earlier silence may have meant.
        if refusal == .timedOut { line.isUncertain = true }
        if !line.isUncertain { line.held = line.served }
        // A line that waits to be sent again gets its answer then.
        if !line.isDirty {
            line.refusal = error
            if isPlaced { queue(.refuse(handle, line.wanted, error)) }
        }
        links[link]?.lines[handle] = line
        return true
    }

    /// What the broker has not answered of a request whose time is up; each is to be refused.
    func unanswered(request: UInt64, on link: Int, generation: UInt64) -> [UInt32] {
        guard let link = links[link], link.generation == generation else { return [] }
        return link.lines.values.filter { if case .asked(request) = $0.phase { true } else { false } }
            .map(\.handle).sorted()
    }
}
