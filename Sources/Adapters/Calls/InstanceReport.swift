import CFeedhostABI
import MarketData

/// What an adapter instance says, of itself or in answer to a call. Copied: nothing in it is the adapter's any more.
package enum InstanceReport: Sendable {
    /// It can be used, and can do that.
    case made(InstanceAbilities)
    /// It could not be made after all, or what it ran in is gone. The last report: calls that are not answered yet never are.
    case ended(FeedError)
    /// What a call has returned. Comes once for each call that is in ``InstanceCall``.
    case answer(InstanceCall, fh_status)
    case connection(ConnectionEvent)
    case subscriptions(request: UInt64, [SubscriptionResult])
    case order(OrderReport)
}

/// Calls that are answered, and what tells each from others of its kind.
package enum InstanceCall: Sendable, Hashable {
    case connect(generation: UInt64)
    case subscribe(request: UInt64)
    case unsubscribe(request: UInt64, count: Int)
    case startOrders(request: UInt64)
    case stopOrders
}

/// What an instance can beyond market data.
package struct InstanceAbilities: Sendable, Hashable {
    /// True when it offers `feedhost.orders/1` on this kind of connection.
    package let carriesOrders: Bool

    package init(carriesOrders: Bool) { self.carriesOrders = carriesOrders }
}
