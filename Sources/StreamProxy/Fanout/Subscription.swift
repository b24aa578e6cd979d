import MarketData

/// One client on one stream. Holds one reference of the session's.
final class Subscription {
    let stream: Stream
    let exchange: String
    /// Position in the stream's list.
    var index = 0
    /// In the list of streams that have something new for a slow client.
    var isWaiting = false
    var hasLeft = false

    init(stream: Stream, exchange: String) {
        self.stream = stream
        self.exchange = exchange
    }

    var symbol: String { stream.key.symbol }
    var route: RouteKey { stream.key.route }
    var mode: Mode { stream.key.route.mode }
}
