import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Sessions

@Suite struct ReferenceTests {
    private func key(_ mode: Mode, _ depth: UInt16 = 0, instrument: UInt32 = 1) -> RouteKey {
        RouteKey(session: 1, instrument: instrument, mode: mode, depth: depth)
    }

    @Test func theHighestModeAndTheDeepestBookAreTheDemand() {
        var references = References()
        references.add(key(.ltp))
        #expect(references.demand(1) == .init(mode: .ltp, depth: 0))
        references.add(key(.depth, 5))
        references.add(key(.depth, 30))
        references.add(key(.quote))
        #expect(references.demand(1) == .init(mode: .depth, depth: 30))
        references.remove(key(.depth, 30))
        #expect(references.demand(1) == .init(mode: .depth, depth: 5))
        references.remove(key(.depth, 5))
        #expect(references.demand(1) == .init(mode: .quote, depth: 0))
    }

    @Test func everyReferenceCounts() {
        var references = References()
        references.add(key(.ltp))
        references.add(key(.ltp))
        let first = references.remove(key(.ltp))
        #expect(first && references.demand(1) != nil)
        let second = references.remove(key(.ltp))
        #expect(second && references.demand(1) == nil)
        let third = references.remove(key(.ltp))
        #expect(!third)
        #expect(references.instruments.isEmpty)
        // What nobody holds takes nothing from others.
        references.add(key(.quote))
        let wrong = references.remove(key(.ltp))
        #expect(!wrong && references.demand(1)?.mode == .quote)
    }

    @Test func theSecondClientCostsTheBrokerNothing() async throws {
        try await SessionFixture.run { fixture, session in
            let first = try await session.subscribe("INFY", .depth, depth: 20)
            let second = try await session.subscribe("INFY", .depth, depth: 20)
            #expect(first.route == second.route)
            try await session.subscribe("INFY", .ltp)
            try await session.subscribe("INFY", .depth, depth: 5)
            #expect(fixture.sent == [["NSE:INFY/Depth/20"]])
            await session.unsubscribe([first.route])
            #expect(fixture.sent.count == 1)
        }
    }

    @Test func upAndDown() async throws {
        try await SessionFixture.run { fixture, session in
            let ltp = try await session.subscribe("INFY", .ltp).route
            let five = try await session.subscribe("INFY", .depth, depth: 5).route
            let deep = try await session.subscribe("INFY", .depth, depth: 40)
            #expect(deep.depth == 30, "the largest level that is not above the wish")
            let quote = try await session.subscribe("INFY", .quote).route
            await session.unsubscribe([deep.route])
            await session.unsubscribe([five])
            await session.unsubscribe([quote])
            #expect(
                fixture.sent == [
                    ["NSE:INFY/LTP/0"], ["NSE:INFY/Depth/5"], ["NSE:INFY/Depth/30"], ["NSE:INFY/Depth/5"],
                    ["NSE:INFY/Quote/0"], ["NSE:INFY/LTP/0"],
                ])
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 0)
            await session.unsubscribe([ltp])
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 1)
            #expect(fixture.broker.instance?.served.isEmpty == true)
            #expect(await session.references.instruments.isEmpty)
            // Given back once too often.
            await session.unsubscribe([ltp, quote])
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 1)
        }
    }

    @Test func manyLeaveInOneCall() async throws {
        try await SessionFixture.run { fixture, session in
            let routes = try await session.grants((0..<50).map { Wish("S\($0)") }).map { try $0.get().route }
            #expect(fixture.sent.count == 1)
            await session.unsubscribe(routes)
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 1)
            #expect(fixture.broker.instance?.served.isEmpty == true)
        }
    }

    @Test func modesAndExchangesThatTheAdapterHasNot() async throws {
        var declared = Declared()
        declared.modes = 3
        try await SessionFixture.run(declared) { fixture, session in
            let results = await session.grants([
                Wish("INFY", .depth), Wish("INFY", exchange: "MCX"), Wish("IN\u{7}FY"), Wish("INFY"),
            ])
            #expect(refusal(results[0])?.message == "scripted does not offer mode Depth")
            #expect(refusal(results[1])?.code == .symbolNotFound)
            #expect(refusal(results[1])?.message.contains("NSE, NFO") == true)
            #expect(refusal(results[2])?.code == .subscription)
            #expect(refusal(results[3]) == nil)
            #expect(fixture.sent == [["NSE:INFY/LTP/0"]])
        }
    }
}
