import MarketData
import NIOCore

/// Decides when clients are told of an outage and of its end. A pure value; the session looks at it whenever something has
/// changed, and when it asks to be looked at again.
///
/// What comes together is told together: three connections that break in one moment are one notice, and one that is back
/// before anybody could have read of it is none. A connection that flaps gives a burst of notices and then one in ten
/// seconds, of how things stand then.
struct OutageNotices: Sendable {
    enum Step: Sendable, Equatable {
        case nothing
        case tell(Outage)
        /// The outage that clients were told of is over.
        case tellEnd
        case lookAgain(TimeAmount)
    }

    /// How long an outage is watched before it is told.
    static let gathering = TimeAmount.milliseconds(200)
    /// Notices that may come at once, and then one in each ``pace``.
    static let burst = 6
    static let pace = TimeAmount.seconds(10)

    /// What clients believe.
    private(set) var told: Outage?
    /// When what is now first differed from that.
    private var changed: NIODeadline?
    private var tokens = burst
    private var refilled: NIODeadline?

    mutating func look(at now: NIODeadline, _ outage: Outage?) -> Step {
        guard outage?.extent != told?.extent else {
            changed = nil
            return .nothing
        }
        let since = changed ?? now
        changed = since
        // Of a login that was taken away people want to know at once; there is nothing to gather at an end either.
        let wait = outage == nil || outage?.extent.reason == .replaced ? .zero : Self.gathering - (now - since)
        if wait > .zero { return .lookAgain(wait) }
        refill(now)
        guard tokens > 0 else {
            return .lookAgain(max(.milliseconds(1), Self.pace - (refilled.map { now - $0 } ?? .zero)))
        }
        tokens -= 1
        changed = nil
        told = outage
        return outage.map { .tell($0) } ?? .tellEnd
    }

    /// Clients were told something that goes further: that the session has ended.
    mutating func supersede() {
        told = nil
        changed = nil
    }

    private mutating func refill(_ now: NIODeadline) {
        guard let last = refilled, tokens < Self.burst else { return refilled = now }
        let more = Int((now - last).nanoseconds / Self.pace.nanoseconds)
        guard more > 0 else { return }
        tokens = min(Self.burst, tokens + more)
        refilled = last + Self.pace * more
    }
}
