import CFeedhostABI
import MarketBus
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets
@testable import Sessions

/// What adapters may do to the host, rightly or wrongly.
@Suite struct HostTableTests {
    private static func run(_ body: (fh_host, OpaquePointer, HostContext, SessionFixture) async throws -> Void)
        async throws
    {
        let fixture = try SessionFixture()
        let id = fixture.bus.openSession(user: "anna", broker: "scripted")
        let context = HostContext(
            feed: fixture.bus.makeFeed(session: id), settings: ["rate": Secret("25"), "empty": Secret("")],
            concealment: Concealment(), logger: fixture.logger, counters: AdapterCounters(), report: { _ in })
        try await body(HostTable.host.pointee, context.pointer, context, fixture)
        withExtendedLifetime(context) {}
        await fixture.stop()
    }

    private static var nothing: fh_str { fh_str(ptr: nil, len: 0) }
    private static var lie: fh_str { fh_str(ptr: nil, len: 9_999) }

    @Test func theTableIsComplete() {
        let host = HostTable.host.pointee
        #expect(host.size == UInt32(MemoryLayout<fh_host>.size))
        #expect(String(cString: host.name) == "feedhost" && String(cString: host.version) == FeedhostVersion.text)
        #expect(host.abi_major == FH_ABI_MAJOR && host.abi_minor == FH_ABI_MINOR)
        #expect(MemoryLayout<fh_conn_event>.size == ConnectionEvent.firstSize)
    }

    @Test func noContext() {
        let host = HostTable.host.pointee
        var tick = fh_tick()
        var event = fh_conn_event()
        var result = fh_sub_result()
        host.log(nil, 2, Self.nothing)
        #expect(host.publish_ticks(nil, &tick, 1) == FH_E_INVALID)
        #expect(host.publish_depth(nil, &tick, nil, 0, nil, 0) == FH_E_INVALID)
        host.report_connection(nil, &event)
        host.report_subscriptions(nil, 1, &result, 1)
        host.report_traffic(nil, 1, 1, 1)
        #expect(host.find_by_token(nil, Self.nothing, Self.nothing) == 0)
        #expect(host.config(nil, Self.nothing).len == 0)
        host.metric_add(nil, 1, 1)
        #expect(host.now_ns(nil) > 1_700_000_000_000_000_000)
        #expect(host.extension(nil, nil) == nil)
        #expect(HostTable.rawPublish.pointee.publish(nil, 1, 1, Self.nothing) == FH_E_INVALID)
    }

    @Test func wrongArguments() async throws {
        try await Self.run { host, context, _, fixture in
            var tick = fh_tick()
            #expect(host.publish_ticks(context, nil, 5) == FH_E_INVALID)
            #expect(host.publish_ticks(context, &tick, 0) == FH_OK)
            #expect(host.publish_ticks(context, &tick, 1) != FH_OK, "instrument 0")
            tick.instrument = 1
            tick.price_exp = 100
            #expect(host.publish_ticks(context, &tick, 1) != FH_OK)
            tick.price_exp = -2
            #expect(host.publish_depth(context, nil, nil, 0, nil, 0) == FH_E_INVALID)
            #expect(host.publish_depth(context, &tick, nil, 3, nil, 0) == FH_E_INVALID)
            #expect(host.publish_depth(context, &tick, nil, 0, nil, 3) == FH_E_INVALID)
            tick.fields = UInt64(FH_F_BIDS)
            let levels = [fh_level](repeating: fh_level(), count: 201)
            #expect(host.publish_depth(context, &tick, levels, 201, nil, 0) != FH_OK)
            #expect(host.publish_depth(context, &tick, levels, 200, nil, 0) == FH_OK)
            host.report_connection(context, nil)
            host.report_subscriptions(context, 1, nil, 7)
            host.log(context, -5, Self.lie)
            host.log(context, 99, Self.nothing)
            #expect(fixture.lines.entries == ["trace ", "error "])
            #expect(host.find_by_token(context, Self.lie, Self.lie) == 0)
            #expect(host.config(context, Self.lie).len == 0)
            host.metric_add(context, 77, .min)
            host.metric_add(context, UInt32(FH_M_GAPS), .max)
            host.metric_add(context, UInt32(FH_M_GAPS), .max)
            #expect(host.extension(context, "nobody/1") == nil)
            #expect(host.extension(context, "feedhost.transport/1") != nil)
            let raw = HostTable.rawPublish.pointee
            for (instrument, mode) in [(0, 1), (1, 0), (1, 3), (1, 8)] as [(UInt32, UInt32)] {
                #expect(raw.publish(context, instrument, mode, Self.nothing) == FH_E_INVALID)
            }
            #expect(raw.publish(context, 1, 1, Self.lie) == FH_E_LIMIT)
        }
    }

    @Test func eventsThatAreTooShortAreNotRead() async throws {
        let reports = Journal<UInt64>()
        let fixture = try SessionFixture()
        let context = HostContext(
            feed: fixture.bus.makeFeed(session: 1), settings: [:], concealment: Concealment(), logger: fixture.logger,
            counters: AdapterCounters()
        ) { report in
            if case .connection(let event) = report { reports.add(event.generation) }
        }
        var event = fh_conn_event()
        event.generation = 1
        for size in [0, 4, 47] as [UInt32] {
            event.size = size
            HostTable.host.pointee.report_connection(context.pointer, &event)
        }
        #expect(reports.entries.isEmpty)
        event.size = 48
        event.state = .max
        event.reason = .max
        event.retry_after_ms = .max
        event.message = fh_str(ptr: nil, len: .max)
        HostTable.host.pointee.report_connection(context.pointer, &event)
        #expect(reports.entries == [1])
        withExtendedLifetime(context) {}
        await fixture.stop()
    }

    @Test func settingsAndTokens() async throws {
        try await Self.run { host, context, object, _ in
            let name = StableText("rate")
            #expect(host.config(context, name.str).text == "25")
            let empty = StableText("empty")
            #expect(host.config(context, empty.str).len == 0)
            object.register(exchange: "NSE", token: "1594", handle: 12)
            object.register(exchange: "NSE", token: "", handle: 13)
            let (exchange, token) = (StableText("NSE"), StableText("1594"))
            #expect(host.find_by_token(context, exchange.str, token.str) == 12)
            #expect(host.find_by_token(context, exchange.str, Self.nothing) == 0)
            withExtendedLifetime((name, empty, exchange, token)) {}
        }
    }

    @Test func publishingIsASignOfLife() async throws {
        try await Self.run { host, context, object, _ in
            #expect(object.lastTrafficTime == 0)
            var tick = fh_tick()
            tick.instrument = 1
            _ = host.publish_ticks(context, &tick, 1)
            #expect(object.lastTrafficTime > 0)
        }
    }

    @Test func logLinesAreBoundedAndSingle() async throws {
        try await Self.run { host, context, object, fixture in
            let text = StableText("two\nlines\u{1b}[31m " + String(repeating: "x", count: 5_000))
            host.log(context, Int32(FH_LOG_WARNING), text.str)
            let line = try #require(fixture.lines.entries.first)
            #expect(line.hasPrefix("warning two lines [31m xxx") && line.utf8.count <= 1_040)
            for _ in 0..<500 { host.log(context, Int32(FH_LOG_INFO), Self.nothing) }
            #expect((100..<130).contains(fixture.lines.entries.count))
            let suppressed = object.counters.samples(of: "x").first { $0.figure == "adapter_logs_suppressed_x" }?.count
            #expect(suppressed == 501 - fixture.lines.entries.count)
            withExtendedLifetime(text) {}
        }
    }

    @Test func callsDuringCreateAndAnyThread() async throws {
        try await SessionFixture.run { fixture, session in
            try await session.subscribe("INFY")
            let instance = try #require(fixture.broker.instance)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        for _ in 0..<200 {
                            instance.report(FH_CONN_AUTHENTICATING, 1)
                            instance.answer(UInt64(number), 1, FH_SUB_ACKED)
                            instance.log("line", level: 0)
                        }
                    }
                }
            }
            await session.settleDown()
            #expect(await session.status() == "connected")
        }
    }
}
