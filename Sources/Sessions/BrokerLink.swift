import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Transport

/// One connection to the broker, by one adapter instance at a time. Confined to its lane, the event loop on which the session's
/// actor runs.
final class BrokerLink {
    let index: Int
    let kind: LinkKind
    let kindIndex: Int
    /// Position among the user's connections of this kind, as the adapter was told.
    let connectionIndex: Int
    /// Where its instances write ticks.
    let feed: any TickSink
    /// Nil while there is none: the one before has ended of itself.
    var instance: (any AdapterInstance)?
    /// Which of its instances that is; reports of others are old.
    var life = 0
    /// False until the instance has said that it can be used.
    var isMade = false

    var backoff: Backoff
    /// Ends a wait: for the connect, for the next attempt.
    var timer: Scheduled<Void>?
    var pacing: Scheduled<Void>?
    /// When the link became ready; nil while it is not. A clock that nobody sets.
    var readySince: NIODeadline?
    /// Since when and why it is down; nil while it stands, and while it is being made for the first time.
    var down: Down?
    /// Hash of the credentials of the last connect, to know them again without keeping them; nil before the first.
    var fingerprint: Int?
    /// Refusals in a row.
    var authenticationFailures = 0
    /// True while it is the one that brings the user's order updates, or has been asked to.
    var bringsOrders: Bool { ordersRequest != nil }
    /// The call by which it brings them.
    var ordersRequest: UInt64?
    /// True when it has refused to since it was connected.
    var hasRefusedOrders = false

    init(index: Int, kindIndex: Int, connectionIndex: Int, capabilities: Capabilities, feed: any TickSink) {
        self.index = index
        self.kindIndex = kindIndex
        kind = capabilities.links[kindIndex]
        self.connectionIndex = connectionIndex
        self.feed = feed
        backoff = Backoff(base: capabilities.timings.backoffBase, longest: capabilities.timings.backoffMax)
    }

    /// No wait of it ends any more.
    func cancelTimers() {
        timer?.cancel()
        timer = nil
        pacing?.cancel()
        pacing = nil
    }

    // MARK: Life signs

    /// True if the connection has stood for so long.
    func hasBeenHealthy(for time: TimeAmount) -> Bool { readySince.map { NIODeadline.now() - $0 >= time } ?? false }

    /// True while the log has said that nothing comes.
    var isKnownSilent = false
    var silence = SilenceWatch()
}
