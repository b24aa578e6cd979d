import MarketData

/// One instrument on one link: what is wanted, what the broker has been asked, and who waits for the answer.
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
    var phase = Phase.queued
    /// True while it waits to be sent, for the first time or with another demand.
    var isDirty = false
    /// What the broker serves now; nil when nothing.
    var served: Demand?
    /// True after a demand that was never answered: the broker may serve it all the same.
    var isUncertain = false
    /// What the broker has said to the last demand, when it refused; for subscribers who ask after the answer came.
    var refusal: FeedError?
    /// Suspended subscribers; resumed with what was granted.
    var waiters: [CheckedContinuation<Answer, Never>] = []

    mutating func resume(_ answer: Answer) {
        let waiting = waiters
        waiters.removeAll()
        for waiter in waiting { waiter.resume(returning: answer) }
    }
}
