import AdapterKit
import CFeedhostABI

/// An update that an adapter has published, with its book if there was one.
public struct PublishedTick: Sendable {
    /// The record as it crossed the C interface.
    public var record: fh_tick
    /// The buy side, best first.
    public var bids: [PublishedLevel] = []
    /// The sell side, best first.
    public var asks: [PublishedLevel] = []

    /// Whether the update holds the value behind an `FH_F_*` bit.
    public func holds(_ bit: Int) -> Bool { record.fields & UInt64(bit) != 0 }

    /// `value` if the update holds the `FH_F_*` bit that belongs to it.
    public func value<T>(_ path: KeyPath<fh_tick, T>, _ bit: Int) -> T? {
        holds(bit) ? record[keyPath: path] : nil
    }
}

/// A level of a published book.
public struct PublishedLevel: Hashable, Sendable {
    /// Price mantissa.
    public var price: Int64
    /// Quantity mantissa.
    public var quantity: Int64
    /// Number of orders; 0 if unknown.
    public var orders: UInt32

    /// A level to compare with.
    public init(price: Int64, quantity: Int64, orders: UInt32 = 0) {
        self.price = price
        self.quantity = quantity
        self.orders = orders
    }
}

/// A change of state that an adapter has reported.
public struct ConnectionEvent: Hashable, Sendable {
    /// `FH_CONN_*`.
    public var state: UInt32
    /// `FH_WHY_*`.
    public var reason: UInt32
    /// Milliseconds; 0 leaves it to the host.
    public var retryAfter: UInt32
    /// Of the connection that it is about.
    public var generation: UInt64
    /// For the reader.
    public var message: String
}

/// What an adapter has reported of one wish.
public struct SubscriptionResult: Hashable, Sendable {
    /// The call that it answers.
    public var request: UInt64
    /// Of the instrument.
    public var handle: UInt32
    /// `FH_SUB_*`.
    public var outcome: UInt32
    /// `FH_MODE_*`.
    public var mode: UInt16
    /// Levels.
    public var depth: UInt16
    /// Why it was refused.
    public var status: Status
    /// For the reader.
    public var message: String
}

/// A WebSocket that an adapter has asked for.
public struct RecordedSocket: Sendable {
    /// The number that the adapter knows it by.
    public var id: UInt64
    /// The number that the adapter gave it.
    public var tag: UInt64
    /// Where to.
    public var url: String
    /// Header fields, name and value.
    public var headers: [[String]]
    /// What the adapter has sent, in order.
    public var sent: [[UInt8]] = []
    /// When each message was sent, nanoseconds of the virtual clock.
    public var sentAt: [UInt64] = []
    /// Whether the upgrade has been answered.
    public var isOpen = false
    /// The code with which the adapter has closed it.
    public var closeCode: UInt32?
    /// Whether the venue has closed it.
    public var isGone = false

    /// The messages as text.
    public var sentText: [String] { sent.map { String(decoding: $0, as: UTF8.self) } }
    /// Whether messages can still come through it.
    public var isLive: Bool { closeCode == nil && !isGone }
}

/// An HTTP request that an adapter has asked for.
public struct RecordedFetch: Sendable {
    /// The number that the adapter knows it by.
    public var id: UInt64
    /// The number that the adapter gave it.
    public var tag: UInt64
    /// `FH_HTTP_*`.
    public var method: UInt32
    /// Where to.
    public var url: String
    /// The body of a POST.
    public var body: [UInt8]
}

/// An order update that an adapter has published, as it crossed the C interface.
public struct PublishedOrder: Hashable, Sendable {
    /// The broker's order number.
    public var orderID: String
    /// `open`, `complete`, ….
    public var status: String
    /// The broker's segment.
    public var brokerExchange: String
    /// The broker's symbol.
    public var brokerSymbol: String
    /// The broker's token.
    public var brokerToken: String
    /// `BUY` or `SELL`.
    public var action: String
    /// `MARKET`, `LIMIT`, `SL` or `SL-M`.
    public var priceType: String
    /// `CNC`, `NRML`, `MIS` or another.
    public var product: String
    /// Why it was refused.
    public var reason: String
    /// The power of ten of the prices.
    public var priceExponent: Int8
    /// The power of ten of the quantities.
    public var quantityExponent: Int8
    /// Units ordered.
    public var quantity: Int64?
    /// Units traded.
    public var filled: Int64?
    /// Units to trade.
    public var pending: Int64?
    /// Limit.
    public var price: Int64?
    /// Trigger.
    public var trigger: Int64?
    /// Average price.
    public var average: Int64?
    /// Nanoseconds since the Unix epoch, UTC.
    public var exchangeTime: UInt64?
}
