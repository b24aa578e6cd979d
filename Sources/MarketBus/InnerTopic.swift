import MarketData

/// The first frame of the inner bus: the shard, the route, and whether this is a last value or a tick.
///
/// Shards subscribe to the first ``RouteKey/wireSize`` bytes, so interest is known per shard and route and comes through
/// the same ordered pipe as the ticks: a last value can never overtake a tick.
enum InnerTopic {
    static let size = RouteKey.wireSize + 1
    /// In the place of the mode: an order update; the user's name follows.
    static let orderMark: UInt8 = 0
    static let endpoint = "inproc://feedhost-inner"

    /// Messages that may wait for one shard. Beyond it the publisher drops and counts.
    static let highWaterMark: Int32 = 100_000

    static func orders(shard: UInt8, user: String = "") -> [UInt8] { [shard, orderMark] + Array(user.utf8) }
}
