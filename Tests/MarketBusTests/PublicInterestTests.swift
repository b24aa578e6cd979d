import CZeroMQ
import MarketData
import Synchronization
import Testing

@testable import MarketBus
@testable import TickRing

@Suite struct PublicInterestTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func topic(_ number: Int) -> Topic {
        Topic(broker: "simulator", instrument: Instrument(exchange: "NSE", symbol: "SYM\(number)"), mode: .ltp)
    }

    @Test(arguments: [1, 2, 20_261_202] as [UInt64]) func whatIsWantedFollowsAnyHistory(seed: UInt64) {
        var state = seed
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        var interest = PublicInterest(brokers: ["simulator", "binance"])
        var subscribed: [[UInt8]] = []
        let texts =
            (0..<20).flatMap { [Self.topic($0).text, Self.topic($0).legacy] } + ["", "NSE", "NSE_", "SIM", "X"]
        for _ in 0..<400 {
            if next(3) == 0, !subscribed.isEmpty {
                interest.remove(subscribed.remove(at: next(subscribed.count)))
            } else {
                let text = Self.bytes(texts[next(texts.count)])
                let prefix = Array(text.prefix(next(4) == 0 ? next(text.count + 1) : text.count))
                subscribed.append(prefix)
                interest.add(prefix)
            }
            // As it would be from the beginning.
            let mapped = subscribed.flatMap { interest.mapped($0) }
            let topic = Self.topic(next(20))
            let forms = interest.forms(of: topic)
            #expect((forms.long != nil) == mapped.contains { Self.bytes(topic.text).starts(with: $0) }, "seed \(seed)")
            #expect(
                (forms.legacy != nil) == mapped.contains { Self.bytes(topic.legacy).starts(with: $0) }, "seed \(seed)")
        }
    }

    @Test func aBrokerThatComesLaterIsWantedByThoseWhoWantEverything() {
        var interest = PublicInterest(brokers: ["binance"])
        interest.add([])
        #expect(interest.forms(of: Self.topic(1)).long == nil)
        interest.add(broker: "simulator")
        #expect(interest.forms(of: Self.topic(1)).long != nil)
    }

    /// Sixteen times as many cost sixteen times as much, and not 256 times.
    @Test func aSubscriptionCostsTheSameHoweverManyThereAre() {
        func time(_ count: Int) -> Duration {
            var interest = PublicInterest(brokers: ["simulator"])
            let prefixes = (0..<count).map { Self.bytes(Self.topic($0).text) }
            let topic = Self.topic(count / 2)
            return ContinuousClock().measure {
                for prefix in prefixes {
                    interest.add(prefix)
                    _ = interest.forms(of: topic)
                }
            }
        }
        let (few, many) = (
            (0..<3).map { _ in time(1_000) }.min() ?? .zero, (0..<3).map { _ in time(16_000) }.min() ?? .zero
        )
        #expect(many < few * 80, "1,000 take \(few), 16,000 take \(many)")
    }
}

/// The publisher's turn: what it looks at, and how much of each it does before it passes on what it has made.
@Suite(.serialized) struct PublisherTurnTests {
    private struct Under {
        let loop: PublisherLoop
        let ready = ReadyFeeds()
        let wake: WakeUp
        let endpoint: String
        let counters = BusCounters()

        init() throws {
            var configuration = BusConfiguration()
            configuration.port = .init(0, isExplicit: true)
            configuration.brokers = ["simulator"]
            wake = try WakeUp()
            let sockets = try BusSockets(configuration, context: ZMQContext())
            endpoint = sockets.publisherEndpoint
            loop = PublisherLoop(
                sockets: sockets, configuration: configuration, instruments: InstrumentHandles(), counters: counters)
        }

        func feed(_ number: Int) -> TickFeed {
            let session = UInt32(number + 1)
            loop.open(SessionBook(id: session, user: "u\(number)", broker: "simulator", isExternal: false))
            let feed = TickFeed(
                UInt64(number), session: session, wake: wake, ready: ready, counters: counters, capacity: 1 << 20)
            loop.add(feed)
            return feed
        }
    }

    @Test func feedsAtRestAreNotLookedAt() throws {
        let under = try Under()
        let feeds = (0..<1_000).map { under.feed($0) }
        // Each is looked at once when it is new.
        while under.loop.drainFeeds(under.ready, lateCommands: {}) > 0 {}
        let before = under.loop.looks
        #expect(before == 1_000)
        for _ in 0..<100 {
            feeds[617].send(BusUnderTest.tick(1, ltp: 100))
            #expect(under.loop.drainFeeds(under.ready, lateCommands: {}) == 1)
            #expect(under.loop.drainFeeds(under.ready, lateCommands: {}) == 0)
        }
        #expect(under.loop.looks == before + 100)
    }

    @Test func aTurnHasALimitAndEverybodyGetsTheirs() throws {
        let under = try Under()
        let feeds = (0..<20).map { under.feed($0) }
        while under.loop.drainFeeds(under.ready, lateCommands: {}) > 0 {}
        for feed in feeds { for _ in 0..<1_000 { feed.send(BusUnderTest.tick(1, ltp: 100)) } }
        var turns = 0
        while true {
            let count = under.loop.drainFeeds(under.ready, lateCommands: {})
            if count == 0 { break }
            #expect(count < 1_024 + 256)
            turns += 1
            // A turn serves four. If some had been served twice before others, they would be through by now.
            if turns == 5 { #expect(feeds.allSatisfy { !$0.ring.isEmpty }) }
        }
        #expect(turns >= 20_000 / 1_280)
        #expect(under.counters.strayTicks.load(ordering: .relaxed) == 20_000)
        #expect(feeds.allSatisfy { $0.ring.isEmpty })
    }

    @Test func subscriptionsFromOutsideAreReadInPortions() throws {
        let under = try Under()
        let outsider = try Outsider(ZMQ_SUB, connect: under.endpoint)
        for number in 0..<10_000 { outsider.subscribe("SIMULATOR_NSE_SYM\(number)_LTP") }
        var (read, reads) = (0, 0)
        while read < 10_000 {
            let count = under.loop.readPublicInterest()
            #expect(count <= 128)
            read += count
            if count > 0 { reads += 1 }
            if count == 0, !under.loop.publicSocket.isReadable {
                var item = zmq_pollitem_t(
                    socket: under.loop.publicSocket.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
                try #require(zmq_poll(&item, 1, 5_000) > 0)
            }
        }
        #expect(reads >= 10_000 / 128)
        let last = Topic(broker: "simulator", instrument: Instrument(exchange: "NSE", symbol: "SYM9999"), mode: .ltp)
        #expect(under.loop.interest.forms(of: last).long != nil)
    }
}

@Suite struct ReadyFeedsTests {
    @Test func everySlotHasItsTurn() {
        let ready = ReadyFeeds()
        var waiting = ReadyFeeds.Waiting()
        for slot in [0, 63, 64, 500, 1_023] { ready.mark(slot) }
        ready.take(into: &waiting)
        #expect(waiting.next() == 0 && waiting.next() == 63 && waiting.next() == 64)
        // What comes again waits behind those who have not had their turn.
        waiting.insert(0)
        #expect(waiting.next() == 500 && waiting.next() == 1_023 && waiting.next() == 0 && waiting.next() == nil)
        #expect(waiting.isEmpty)
        waiting.insert(0)
        #expect(waiting.next() == 0)
    }

    /// An adapter's own thread that finds the ring full is held until there is room, and loses nothing.
    @Test func aThreadOfTheAdaptersOwnIsHeld() async throws {
        let counters = BusCounters()
        let feed = TickFeed(
            0, session: 1, wake: try WakeUp(), ready: ReadyFeeds(), counters: counters, capacity: 4_096,
            patience: 60_000)
        func publish(_ count: Int, mayWait: Bool) -> Int {
            (0..<count).reduce(0) { taken, _ in
                let tick = BusUnderTest.tick(1, ltp: 1)
                return taken
                    + withUnsafePointer(to: tick) {
                        feed.publish(UnsafeBufferPointer(start: $0, count: 1), now: 1, mayWait: { mayWait })
                    }
            }
        }
        // The lane's thread is never held.
        let room = publish(100, mayWait: false)
        #expect(room < 100 && counters.ringDrops.load(ordering: .relaxed) == 100 - room)
        #expect(counters.ringWaits.load(ordering: .relaxed) == 0)
        async let taken = Task.detached { publish(100, mayWait: true) }.value
        var read = 0
        while read < room + 100 {
            // Nothing is read before the thread is held.
            if counters.ringWaits.load(ordering: .relaxed) > 0 { read += feed.ring.drain(limit: 10) { _, _ in } }
            await Task.yield()
        }
        #expect(await taken == 100)
        #expect(counters.ringDrops.load(ordering: .relaxed) == 100 - room)
    }

    @Test func aFeedThatIsClosedHoldsNobody() async throws {
        let counters = BusCounters()
        let feed = TickFeed(
            0, session: 1, wake: try WakeUp(), ready: ReadyFeeds(), counters: counters, capacity: 1_024,
            patience: 600_000)
        let task = Task.detached {
            let tick = BusUnderTest.tick(1, ltp: 1)
            for _ in 0..<100 {
                withUnsafePointer(to: tick) {
                    _ = feed.publish(UnsafeBufferPointer(start: $0, count: 1), now: 1, mayWait: { true })
                }
            }
        }
        while counters.ringWaits.load(ordering: .relaxed) == 0 { await Task.yield() }
        feed.close()
        await task.value
    }
}
