import Logging
import MarketData
import NIOCore
import Secrets
import Transport

/// One adapter instance, wherever it runs: one connection of a user's to the broker.
///
/// All of this is called on the lane (``InstanceOrder/loop``), and calls reach the adapter in this order, one after another. No
/// call waits for the adapter and none returns what it says: answers and events arrive at ``InstanceOrder/report`` later, never from inside
/// a call. After ``end(generation:)`` nothing arrives any more; after ``InstanceReport/ended(_:)`` every call is without effect.
package protocol AdapterInstance: AnyObject {
    /// Changes with everything that the broker sends, the pongs of its WebSocket excepted: those come from a server whose feed
    /// has died, too.
    var heard: UInt64 { get }

    /// Connects to the broker. Answered; the outcome is a ``ConnectionEvent`` of that generation.
    /// - Parameter generation: Rises with every connect.
    func connect(_ credentials: BrokerCredentials, generation: UInt64)
    /// Ends the connection. Nothing of it arrives afterwards, but for what is under way already.
    func disconnect(generation: UInt64)
    /// Asks the broker for instruments, or for other modes of them. Answered; results for each follow.
    /// - Parameter request: A number that no other call of this instance has.
    func subscribe(_ wishes: [SubscriptionRequest], request: UInt64)
    /// Has the broker end instruments. Answered.
    func unsubscribe(_ wishes: [SubscriptionRequest], request: UInt64)
    /// The connection must be ready. Answered.
    func startOrders(request: UInt64)
    /// Answered.
    func stopOrders()
    /// Ends the instance for good.
    func end(generation: UInt64)

    /// From now on the broker's name stands for the instrument, in what the adapter looks up.
    func register(_ listing: Listing, as handle: UInt32)
    /// The broker no longer sends what it calls by that name, unless the name is another instrument's by now.
    func forget(_ listing: Listing, of handle: UInt32)
    func forgetListings()

    /// How the last socket ended, for whoever asks first.
    func takeEnd() -> SocketEnd?
}

/// `fh_sub_request`: one instrument that the broker is asked for.
package struct SubscriptionRequest: Sendable, Hashable {
    package let handle: UInt32
    package let instrument: Instrument
    /// What the broker calls it; nil for brokers without an instrument master.
    package let listing: Listing?
    package let mode: Mode
    /// Levels a side; 0 unless the mode is Depth.
    package let depth: Int

    package init(handle: UInt32, instrument: Instrument, listing: Listing?, mode: Mode, depth: Int) {
        self.handle = handle
        self.instrument = instrument
        self.listing = listing
        self.mode = mode
        self.depth = depth
    }
}

/// What an instance is made of.
package struct InstanceOrder {
    package let adapter: LoadedAdapter
    /// Which of the adapter's kinds of connections.
    package let kind: Int
    /// Position among the user's connections of this kind.
    package let connectionIndex: Int
    package let feed: any TickSink
    package let settings: [String: Secret]
    /// What is taken out of the adapter's texts.
    package let concealment: Concealment
    package let logger: Logger
    package let counters: AdapterCounters
    /// The lane.
    package let loop: any EventLoop
    package let route: OutboundRoute
    /// Takes what the instance says, in order; called on any thread.
    package let report: @Sendable (InstanceReport) -> Void

    package init(
        adapter: LoadedAdapter, kind: Int, connectionIndex: Int, feed: any TickSink, settings: [String: Secret],
        concealment: Concealment, logger: Logger, counters: AdapterCounters, loop: any EventLoop,
        route: OutboundRoute = OutboundRoute(), report: @escaping @Sendable (InstanceReport) -> Void
    ) {
        self.adapter = adapter
        self.kind = kind
        self.connectionIndex = connectionIndex
        self.feed = feed
        self.settings = settings
        self.concealment = concealment
        self.logger = logger
        self.counters = counters
        self.loop = loop
        self.route = route
        self.report = report
    }
}

/// Decides where an adapter runs.
package protocol InstanceMaker: Sendable {
    /// Makes an instance, or begins to; on its lane.
    /// - Throws: ``FeedError`` with `BROKER_INIT_ERROR` when it is known already that there will be none.
    func make(_ order: InstanceOrder) throws(FeedError) -> any AdapterInstance
}

/// Every adapter in the host's own process.
package struct InProcessMaker: InstanceMaker {
    package init() {}

    package func make(_ order: InstanceOrder) throws(FeedError) -> any AdapterInstance { try InProcessInstance(order) }
}
