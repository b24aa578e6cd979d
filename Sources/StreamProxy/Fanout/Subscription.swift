import MarketData
import NIOCore

/// One client on one stream. Holds one reference of the session's.
final class Subscription {
    let stream: Stream
    let exchange: String
    let outbox: Outbox
    /// Set when the client has asked for fewer messages than there are.
    let pace: Pace?
    var hasLeft = false

    init(stream: Stream, exchange: String, outbox: Outbox, interval: TimeAmount?) {
        self.stream = stream
        self.exchange = exchange
        self.outbox = outbox
        pace = interval.map { Pace(interval: $0) }
    }

    var symbol: String { stream.key.symbol }
    var route: RouteKey { stream.key.route }
    var mode: Mode { stream.key.route.mode }
}

/// The rate of one subscription: at most one message an interval, the newest.
final class Pace {
    let interval: TimeAmount
    /// When the next message may go.
    var next = NIODeadline.uptimeNanoseconds(0)
    /// Something new waits for that moment.
    var isWaiting = false

    init(interval: TimeAmount) { self.interval = interval }
}
