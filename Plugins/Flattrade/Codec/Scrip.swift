import AdapterKit

/// A scrip that is subscribed to, or whose unsubscription is still to be sent.
struct Scrip {
    let key: UInt64
    /// The instrument of the first subscriber; 0 while there is none.
    var handle: UInt32 = 0
    /// Whether several instruments have this scrip.
    var isShared = false
    /// Which of the two feeds is wanted.
    var wantsDepth = false
    /// Whether it waits in the outbox.
    var isDirty = false
    /// Indices have no book.
    let isIndex: Bool
    /// The newest feed time: seconds since the Unix epoch, UTC; and when it came: ns since the Unix epoch, UTC.
    var feedTime: Int64 = 0
    var feedTimeReceivedAt: UInt64 = 0

    init(key: UInt64, isIndex: Bool) {
        self.key = key
        self.isIndex = isIndex
    }

    /// The feed's clock at `now`, in seconds since the Unix epoch: that of the newest feed time and what has passed since.
    func feedClock(at now: UInt64) -> Int64 {
        guard feedTime != 0 else { return Int64(now / 1_000_000_000) }
        return feedTime + Int64((now > feedTimeReceivedAt ? now - feedTimeReceivedAt : 0) / 1_000_000_000)
    }
}

/// One instrument that wants a scrip.
struct Subscriber {
    var handle: UInt32
    var mode: Mode
    /// What the wish gets when the snapshot comes.
    var outcome: SubscriptionOutcome
}

/// What of a scrip is not needed for a tick.
struct ScripDetails {
    /// As in requests, e.g. `NSE|22`.
    var name: String
    var subscribers: [Subscriber] = []
}
