import MarketData

/// One instrument on one link: what is wanted and what the broker has been asked.
struct Line {
    typealias Demand = References.Demand
    typealias Answer = Result<Demand, FeedError>

    enum Phase {
        /// Not sent: the link is not ready. It goes out after the next connect.
        case queued
        /// Sent with that request; the answer is out.
        case asked(request: UInt64)
        /// The broker has it, or the adapter has sent it and no confirmation is to be had.
        case granted
    }

    let handle: UInt32
    let instrument: Instrument
    var wanted: Demand
    /// What the broker called it when it was last sent; nil before, and for brokers without an instrument master.
    var listing: Listing?
    /// True while another connection takes it over; until then this one serves it.
    var isDeparting = false
    var phase = Phase.queued
    /// True while it waits to be sent, for the first time or with another demand.
    var isDirty = false
    /// What the broker was last asked for; nil before.
    var asked: Demand?
    /// What the broker serves now; nil when nothing.
    var served: Demand?
    /// True after a demand that was never answered: the broker may serve it all the same.
    var isUncertain = false
    /// The most that the broker may be serving: what it has granted, and what it was asked for since then and has not
    /// refused. It counts against the quota until the broker has granted less: a smaller demand may be refused too.
    var held: Demand?
    /// What the broker has said to the last demand, when it refused; for subscribers who ask after the answer came.
    var refusal: FeedError?
    var isAsked: Bool { if case .asked = phase { true } else { false } }
    /// True when the broker may serve it, or may be about to.
    var mayBeKnown: Bool { isAsked || served != nil || isUncertain }
    /// What it counts for in the broker's quota.
    var most: Demand { held?.union(wanted) ?? wanted }

    /// The connection is gone, and with it all that the broker had and was asked for.
    mutating func forgetBroker() {
        served = nil
        held = nil
        listing = nil
        phase = .queued
        isDirty = false
        isUncertain = false
    }
}
