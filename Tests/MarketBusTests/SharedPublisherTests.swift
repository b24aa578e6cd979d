import CFeedhostABI
import CZeroMQ
import MarketData
import Synchronization
import Testing

@testable import MarketBus

@Suite(.serialized) struct SharedPublisherTests {
    @Test func onlyWantedTopicsAreEncoded() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "SBIN")
        let (session, feed) = under.open(handle)
        let ltp = RouteKey(session: session, instrument: handle, mode: .ltp)
        under.port.subscribe(ltp)
        // The first value may come before the interest (then it is a last value) or after it (then it is a tick).
        feed.send(BusUnderTest.tick(handle, ltp: 100))
        let first = try #require(under.next())
        #expect(first.key == ltp)
        #expect(first.json.contains("\"ltp\":1.0"))
        feed.send(BusUnderTest.tick(handle, ltp: 200))
        let second = try #require(under.next())
        #expect(!second.snapshot)
        #expect(second.json.contains("\"ltp\":2.0"))
        // A tick without any field of the mode is not sent; the next one that has one is.
        feed.send(
            BusUnderTest.tick(handle, ltp: 0) {
                $0.fields = UInt64(FH_F_VOLUME); $0.volume = 5
            })
        feed.send(BusUnderTest.tick(handle, ltp: 300))
        #expect(try #require(under.next()).json.contains("\"ltp\":3.0"))
    }

    @Test func aSecondShardOfInterestGetsTheLastValue() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "SBIN")
        let (session, feed) = under.open(handle)
        let ltp = RouteKey(session: session, instrument: handle, mode: .ltp)
        under.port.subscribe(ltp)
        feed.send(BusUnderTest.tick(handle, ltp: 100))
        _ = try #require(under.next())
        let quote = RouteKey(session: session, instrument: handle, mode: .quote)
        under.port.subscribe(quote)
        let last = try #require(under.next())
        #expect(last.key == quote)
        #expect(last.snapshot)
    }

    /// What is known from lower modes has no book, and a first Depth message without one would look like an empty market.
    @Test func depthBeginsWithWhatComesInDepth() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "SBIN")
        let (session, feed) = under.open(handle)
        func book(_ price: Int64, at time: UInt64 = 1_000_000_000) -> fh_tick {
            BusUnderTest.tick(handle, ltp: price) {
                $0.kind = UInt16(FH_MODE_DEPTH)
                $0.fields |= UInt64(FH_F_BID)
                ($0.bid_px, $0.bid_qty, $0.ts_recv) = (price - 5, 3, time)
            }
        }
        let quote = RouteKey(session: session, instrument: handle, mode: .quote)
        let depth = RouteKey(session: session, instrument: handle, mode: .depth, depth: 5)
        under.port.subscribe(quote)
        feed.send(BusUnderTest.tick(handle, ltp: 100))
        #expect(try #require(under.next()).key == quote)
        under.port.subscribe(depth)
        for price in [200, 300] as [Int64] {
            feed.send(BusUnderTest.tick(handle, ltp: price))
            #expect(try #require(under.next()).key == quote)
        }
        feed.send(book(400))
        let both = [try #require(under.next()), try #require(under.next())]
        let first = try #require(both.first { $0.key == depth })
        #expect(
            !first.snapshot && first.json.contains("\"ltp\":4.0") && first.json.contains("\"buy\":[{\"price\":3.95"))
        // What came after it was asked for stays, however late the order to forget is read.
        under.bus.forgetBook(session: session, instrument: handle, before: 1_000_000_000)
        feed.send(BusUnderTest.tick(handle, ltp: 450))
        let kept = [try #require(under.next()), try #require(under.next())]
        #expect(kept.contains { $0.key == depth && $0.json.contains("\"buy\":[{\"price\":3.95") })
        // Asked for again after a time without: the old book is gone, and prices alone are not told in Depth.
        under.bus.forgetBook(session: session, instrument: handle, before: 1_000_000_001)
        feed.send(BusUnderTest.tick(handle, ltp: 500))
        #expect(try #require(under.next()).key == quote)
        feed.send(book(600, at: 1_000_000_001))
        let again = [try #require(under.next()), try #require(under.next())]
        #expect(again.contains { $0.key == depth && $0.json.contains("\"ltp\":6.0") })
    }

    /// An index has no book in any mode, so nothing is waited for.
    @Test func anIndexIsToldInDepthWithoutABook() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE_INDEX", "NIFTY")
        let (session, feed) = under.open(handle)
        let depth = RouteKey(session: session, instrument: handle, mode: .depth, depth: 5)
        under.port.subscribe(depth)
        feed.send(BusUnderTest.tick(handle, ltp: 100))
        let first = try #require(under.next())
        #expect(first.key == depth && first.json.contains("\"buy\":[],\"sell\":[]"))
    }

    @Test func usersAreIsolated() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "SBIN")
        let (alice, bob) = (under.open(user: "alice", handle), under.open(user: "bob", handle))
        let mine = RouteKey(session: alice.session, instrument: handle, mode: .ltp)
        under.port.subscribe(mine)
        alice.feed.send(BusUnderTest.tick(handle, ltp: 100))
        _ = try #require(under.next())
        for _ in 0..<100 { bob.feed.send(BusUnderTest.tick(handle, ltp: 666)) }
        alice.feed.send(BusUnderTest.tick(handle, ltp: 200))
        let next = try #require(under.next())
        #expect(next.key == mine)
        #expect(next.json.contains("\"ltp\":2.0"))
    }

    @Test func strayTicksAreCounted() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let (known, stranger) = (try under.handle("NSE", "SBIN"), try under.handle("NSE", "TCS"))
        let (session, feed) = under.open(known)
        feed.send(BusUnderTest.tick(stranger, ltp: 1))
        feed.send(BusUnderTest.tick(known, ltp: 1) { $0.price_exp = 5 })
        under.port.subscribe(RouteKey(session: session, instrument: known, mode: .ltp))
        feed.send(BusUnderTest.tick(known, ltp: 100))
        _ = try #require(under.next())
        let counters = Dictionary(uniqueKeysWithValues: under.bus.counters.snapshot)
        #expect(counters["bus_stray_ticks"] == 1)
        #expect(counters["bus_bad_ticks"] == 1)
    }

    @Test func publishersFromOutside() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "RELIANCE")
        let session = under.bus.openSession(user: "", broker: "external", isExternal: true)
        for mode in [Mode.ltp, .depth] {
            under.port.subscribe(RouteKey(session: session, instrument: handle, mode: mode))
        }
        let outsider = try Outsider(ZMQ_XPUB, connect: under.bus.endpoint)
        #expect(outsider.awaitSubscriber())
        outsider.send("NSE_RELIANCE_QUOTE", "{\"ltp\": 1401, \"x\": 1}")
        let served = try #require(under.next())
        #expect(served.key.mode == .ltp)
        #expect(served.json == "{\"ltp\": 1401, \"x\": 1}")
        // Its own topic appears, in the long form: from now on no higher one stands in.
        outsider.send("ZERODHA_NSE_RELIANCE_LTP", "{\"ltp\": 1402}")
        #expect(try #require(under.next()).json == "{\"ltp\": 1402}")
        outsider.send("NSE_RELIANCE_QUOTE", "{\"ltp\": 1403}")
        outsider.send("NSE_RELIANCE_LTP", "nope")
        outsider.send("NSE_RELIANCE_LTP")
        outsider.send("NSE_RELIANCE_LTP", "{}", "{}")
        outsider.send("SOMETHING", "{}")
        outsider.send("NSE_RELIANCE_DEPTH", "{\"depth\": {}}")
        let last = try #require(under.next())
        #expect(last.key.mode == .depth)
        let counters = Dictionary(uniqueKeysWithValues: under.bus.counters.snapshot)
        #expect(counters["bus_external_bad"] == 3)
        #expect(counters["bus_external_unknown_topics"] == 1)
    }

    @Test func ordersGoToTheirUser() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let outsider = try Outsider(ZMQ_XPUB, connect: under.bus.endpoint)
        #expect(outsider.awaitSubscriber())
        outsider.send("ANGEL_bob_k_orders", "{\"orderid\": \"1\"}")
        let order = try #require(under.nextOrder())
        #expect(order.user == "bob_k")
        #expect(order.json == "{\"orderid\": \"1\"}")
        outsider.send("dhan_sandbox_eve_orders", "{\"user_id\": \"eve\"}")
        #expect(try #require(under.nextOrder()).user == "eve")
    }

    @Test func publicSubscribers() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let handle = try under.handle("NSE", "SBIN")
        let feed = under.open(handle).feed
        let everything = try Outsider(ZMQ_SUB, connect: under.bus.publisherEndpoint)
        everything.subscribe("")
        let legacy = try Outsider(ZMQ_SUB, connect: under.bus.publisherEndpoint)
        legacy.subscribe("NSE_SBIN_LTP")
        let both = [everything, legacy]
        // Subscriptions travel; what is sent before they arrive is not theirs.
        let done = Mutexed(false)
        let sender = Task.detached {
            var price: Int64 = 100
            while !done.value {
                feed.send(BusUnderTest.tick(handle, ltp: price))
                price += 1
                await Task.yield()
            }
        }
        let topics = both.map { outsider in (0..<3).map { _ in (outsider.receive(), outsider.receive()).0 } }
        done.value = true
        sender.cancel()
        #expect(topics[1] == ["NSE_SBIN_LTP", "NSE_SBIN_LTP", "NSE_SBIN_LTP"])
        #expect(topics[0].allSatisfy { $0?.hasPrefix("SIMULATOR_NSE_SBIN_") == true })
    }

    @Test(arguments: ["0.0.0.0", "192.168.1.5", "::", "*"])
    func addressesOfOtherMachinesAreRefused(host: String) {
        var configuration = BusConfiguration()
        configuration.host = host
        #expect(throws: BusExposureError.self) { try SharedPublisher(configuration, instruments: InstrumentHandles()) }
        configuration.host = "localhost"
        configuration.publisher = "tcp://\(host):5556"
        #expect(throws: BusExposureError.self) { try SharedPublisher(configuration, instruments: InstrumentHandles()) }
    }

    @Test func aChosenPortThatIsTakenIsAnError() throws {
        let under = try BusUnderTest()
        defer { under.stop() }
        let taken = try #require(under.bus.endpoint.split(separator: ":").last.flatMap { Int($0) })
        var configuration = BusConfiguration()
        configuration.port = .init(taken, isExplicit: true)
        #expect(throws: BusBindError.self) { try SharedPublisher(configuration, instruments: InstrumentHandles()) }
        configuration.port = .init(taken, isExplicit: false)
        let moved = try SharedPublisher(configuration, instruments: InstrumentHandles())
        #expect(moved.didMove)
        moved.stop()
    }
}

/// A value behind a lock.
final class Mutexed<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>
    init(_ value: Value) { storage = Mutex(value) }
    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
