import MarketData
import NIOCore
import Secrets
import Synchronization
import Transport

@testable import Adapters

/// Adapters as they are when they run somewhere else: calls arrive there after a while, and what they say comes back after a while.
/// Everything stays in order.
final class LateMaker: InstanceMaker {
    private let delay: TimeAmount
    private let made = Mutex<[NIOLoopBound<LateInstance>]>([])

    init(delay: TimeAmount = .microseconds(300)) { self.delay = delay }

    func make(_ order: InstanceOrder) throws(FeedError) -> any AdapterInstance {
        let instance = LateInstance(order, delay)
        made.withLock { $0.append(NIOLoopBound(instance, eventLoop: order.loop)) }
        return instance
    }

    /// What it runs in is gone, with all that it was told.
    /// - Parameter number: 1 is the first that was made.
    func kill(_ number: Int, because message: String) {
        let instance = made.withLock { $0[number - 1] }
        instance.eventLoop.execute { instance.value.die(FeedError(.brokerConnection, message)) }
    }

    /// As if it had said so.
    func say(_ number: Int, _ report: InstanceReport) {
        let instance = made.withLock { $0[number - 1] }
        instance.eventLoop.execute { instance.value.report(report) }
    }
}

private final class LateInstance: AdapterInstance {
    private let calls: LatePath
    let report: @Sendable (InstanceReport) -> Void
    /// What runs elsewhere; nil before it is made, and when it could not be.
    private var inner: (any AdapterInstance)?
    private var isEnded = false

    init(_ order: InstanceOrder, _ delay: TimeAmount) {
        let answers = LatePath(order.loop, delay)
        calls = LatePath(order.loop, delay)
        let report = { @Sendable [report = order.report] (said: InstanceReport) in answers.later { report(said) } }
        self.report = report
        let elsewhere = InstanceOrder(
            adapter: order.adapter, kind: order.kind, connectionIndex: order.connectionIndex, feed: order.feed,
            settings: order.settings, concealment: order.concealment, logger: order.logger, counters: order.counters,
            loop: order.loop, route: order.route, report: report)
        let bound = NIOLoopBound((self, elsewhere), eventLoop: order.loop)
        calls.later {
            let (late, order) = bound.value
            guard !late.isEnded else { return }
            do throws(FeedError) {
                late.inner = try InProcessMaker().make(order)
            } catch {
                report(.ended(error))
            }
        }
    }

    private func later(_ call: @escaping (any AdapterInstance) -> Void) {
        let bound = NIOLoopBound((self, call), eventLoop: calls.loop)
        calls.later {
            let (late, call) = bound.value
            if !late.isEnded, let inner = late.inner { call(inner) }
        }
    }

    var heard: UInt64 { inner?.heard ?? 0 }
    func takeEnd() -> SocketEnd? { inner?.takeEnd() }

    func connect(_ credentials: BrokerCredentials, generation: UInt64) {
        later { $0.connect(credentials, generation: generation) }
    }
    func disconnect(generation: UInt64) { later { $0.disconnect(generation: generation) } }
    func subscribe(_ wishes: [SubscriptionRequest], request: UInt64) {
        later { $0.subscribe(wishes, request: request) }
    }
    func unsubscribe(_ wishes: [SubscriptionRequest], request: UInt64) {
        later { $0.unsubscribe(wishes, request: request) }
    }
    func startOrders(request: UInt64) { later { $0.startOrders(request: request) } }
    func stopOrders() { later { $0.stopOrders() } }
    func register(_ listing: Listing, as handle: UInt32) { later { $0.register(listing, as: handle) } }
    func forget(_ listing: Listing, of handle: UInt32) { later { $0.forget(listing, of: handle) } }
    func forgetListings() { later { $0.forgetListings() } }

    func die(_ error: FeedError) {
        calls.drop()
        finish(generation: 0)
        report(.ended(error))
    }

    /// At once: the loop may end next.
    func end(generation: UInt64) {
        calls.finish()
        finish(generation: generation)
    }

    private func finish(generation: UInt64) {
        isEnded = true
        inner?.end(generation: generation)
        inner = nil
    }
}

/// Does things later on a loop, in order.
private final class LatePath: Sendable {
    let loop: any EventLoop
    private let delay: TimeAmount
    private let waiting = Mutex<[@Sendable () -> Void]>([])

    init(_ loop: any EventLoop, _ delay: TimeAmount) {
        self.loop = loop
        self.delay = delay
    }

    func later(_ body: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append(body) }
        // One turn for each: whichever comes first takes what has waited longest.
        loop.scheduleTask(in: delay) { [self] in
            next()?()
        }
    }

    private func next() -> (@Sendable () -> Void)? { waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    /// Does now what still waits.
    func finish() { while let next = next() { next() } }

    func drop() { waiting.withLock { $0.removeAll() } }
}
