import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Names that are looked up in the broker's instrument master.
@Suite struct ListingTests {
    private static var declared: Declared {
        var declared = Declared()
        declared.hasMaster = true
        return declared
    }

    @Test func theAdapterIsToldWhatTheBrokerCallsIt() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("INFY", token: "1594")
            let route = try await session.subscribe("INFY", .quote).route
            let instance = try #require(fixture.broker.instance)
            let seen = try #require(instance.served[route.instrument])
            #expect(
                seen.listing
                    == SeenListing(exchange: "nse_cm", token: "1594", priceExponent: -2, tickSize: 5, lotSize: 25))
            #expect(instance.find(exchange: "nse_cm", token: "1594") == route.instrument)
            await session.unsubscribe([route])
            #expect(instance.find(exchange: "nse_cm", token: "1594") == 0, "only what is subscribed is found")
        }
    }

    @Test func aWrongSymbolIsRefusedWithNearOnes() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            for (symbol, token) in [("RELIANCE", "1"), ("RELINFRA", "2"), ("TCS", "3")] {
                fixture.masters.list(symbol, token: token)
            }
            fixture.masters.list("RELIANCE25FUT", token: "4", exchange: "NFO")
            let results = await session.grants([Wish("RELIANC"), Wish("TCS"), Wish("XYZ")])
            #expect(
                refusal(results[0])
                    == FeedError(
                        .symbolNotFound,
                        "Symbol RELIANC not found for exchange NSE; did you mean RELIANCE, NFO:RELIANCE25FUT, RELINFRA?"
                    ))
            #expect(refusal(results[1]) == nil)
            #expect(refusal(results[2])?.message == "Symbol XYZ not found for exchange NSE")
            #expect(await session.referenced == ["NSE:TCS/LTP/0"])
            #expect(fixture.sent == [["NSE:TCS/LTP/0"]])
        }
    }

    /// `BSE SENSEX SIXTY 65:35` is an index, and 35 are no levels.
    @Test func aNameThatEndsLikeLevelsIsTakenAsWritten() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("SIXTY 65:35", token: "1")
            fixture.masters.list("TCS", token: "2")
            func wish(_ symbol: String, _ levels: Int) -> Wish {
                Wish(
                    instrument: Instrument(exchange: "NSE", symbol: symbol), mode: .depth, depth: levels,
                    suffixed: true)
            }
            let results = await session.grants([wish("SIXTY 65", 35), wish("TCS", 20), wish("SIXTY 65", 20)])
            let routes = results.map { try? $0.get().route }
            #expect(
                routes[0]?.suffix == 0
                    && routes[0].flatMap { fixture.instruments[$0.instrument] }?.symbol == "SIXTY 65:35"
            )
            #expect(routes[1]?.suffix == 20)
            #expect(refusal(results[2])?.code == .symbolNotFound)
        }
    }

    @Test func manyWrongSymbolsAreNotAllSearchedFor() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("SBIN", token: "1")
            let results = await session.grants((0..<100).map { Wish("S\($0)") })
            #expect(results.allSatisfy { refusal($0)?.code == .symbolNotFound })
            #expect(fixture.masters.searches == BrokerSession.mostHints)
            #expect(refusal(results[99])?.message == "Symbol S99 not found for exchange NSE")
        }
    }

    @Test func withoutMasterTheCommandIsNamed() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            let error = refusal(await session.grants([Wish("INFY")])[0])
            #expect(error?.code == .symbolNotFound)
            #expect(
                error?.message
                    == "Symbol INFY not found for exchange NSE: no instruments of scripted are loaded; load them with: feedhost instruments sync scripted"
            )
            #expect(fixture.masters.searches == 0)
        }
    }

    @Test(arguments: [(false, CapabilityFlags()), (true, .anySymbol)])
    func adaptersWithoutMasterGetEverySymbol(hasMaster: Bool, flags: CapabilityFlags) async throws {
        var declared = Declared()
        declared.hasMaster = hasMaster
        declared.flags = flags
        try await SessionFixture.run(declared) { fixture, session in
            let route = try await session.subscribe("ANYTHING").route
            #expect(fixture.broker.instance?.served[route.instrument]?.listing == SeenListing())
        }
    }

    @Test func everyConnectLooksUpAgain() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("NIFTY24FUT", token: "10")
            fixture.masters.list("NIFTY25FUT", token: "20")
            try await session.subscribe("NIFTY24FUT")
            let later = try await session.subscribe("NIFTY25FUT").route
            // Overnight the one has expired, and its token is the other's.
            fixture.masters.remove("NIFTY24FUT")
            fixture.masters.list("NIFTY25FUT", token: "10")
            let instance = try #require(fixture.broker.instance)
            instance.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.called("replay", count: 3, session) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:NIFTY25FUT/LTP/0"])
            #expect(instance.served.values.map(\.listing.token) == ["10"])
            #expect(instance.find(exchange: "nse_cm", token: "10") == later.instrument)
            #expect(instance.find(exchange: "nse_cm", token: "20") == 0)
            try await fixture.lines.waitFor("the log") {
                $0 == "info refused: NSE:NIFTY24FUT: Symbol NIFTY24FUT not found for exchange NSE"
            }
            #expect(refusal(await session.grants([Wish("NIFTY24FUT", .quote)])[0])?.code == .symbolNotFound)
        }
    }

    @Test func whoWaitsForWhatVanishesIsTold() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("INFY", token: "1")
            fixture.masters.list("TCS", token: "2")
            // It is there when the wish is checked and gone when it is sent.
            fixture.masters.remove("INFY", afterLookUps: 1)
            let results = await session.grants([Wish("INFY"), Wish("TCS")])
            #expect(refusal(results[0])?.code == .symbolNotFound)
            #expect(refusal(results[1]) == nil)
            #expect(await session.referenced == ["NSE:TCS/LTP/0"])
            #expect(fixture.sent == [["NSE:TCS/LTP/0"]])
        }
    }

    @Test func aTokenThatChangesOnALiveConnectionEndsFirst() async throws {
        try await SessionFixture.run(Self.declared) { fixture, session in
            fixture.masters.list("INFY", token: "1")
            let route = try await session.subscribe("INFY").route
            fixture.masters.list("INFY", token: "9")
            try await session.subscribe("INFY", .depth)
            let calls = fixture.broker.calls.entries
            let end = try #require(calls.firstIndex { $0.isUnsubscribe })
            let again = try #require(calls.lastIndex { $0.isSubscribe })
            #expect(end < again)
            let instance = try #require(fixture.broker.instance)
            #expect(instance.served[route.instrument]?.listing.token == "9")
            #expect(instance.find(exchange: "nse_cm", token: "1") == 0)
            #expect(instance.find(exchange: "nse_cm", token: "9") == route.instrument)
        }
    }
}
