import Testing

@testable import BrokerSimulator

/// What `--option NAME=VALUE` sets.
struct VenueSettingTests {
    private func noren(_ pairs: [String], _ kind: VenueKind = .flattrade) throws -> NorenOptions {
        let bench = try VenueBench(kind.setting(pairs))
        return try #require(bench.simulation.venue as? NorenVenue).options
    }

    private func angel(_ pairs: [String]) throws -> AngelOptions {
        let bench = try VenueBench(VenueKind.angel.setting(pairs))
        return try #require(bench.simulation.venue as? AngelVenue).options
    }

    @Test func everyBrokerOfTheNorenFamilyHasThem() throws {
        for kind in [VenueKind.flattrade, .shoonya, .zebu, .tradesmart] {
            let options = try noren(
                ["generation=old", "cooldown-ms=5000", "eviction-ms=0", "silence-ms=3600000"], kind)
            #expect(options.generation == .old)
            #expect(options.cooldownMilliseconds == 5_000)
            #expect(options.evictionMilliseconds == 0)
            #expect(options.silenceMilliseconds == 3_600_000)
        }
        #expect(try noren([]).generation == .new)
    }

    @Test func angelOneHasItsOwn() throws {
        let options = try angel(["strict-api-key=true", "silence-ms=200", "order-frames=binary"])
        #expect(options.checksAPIKey && options.sendsOrdersAsBinary && options.silenceMilliseconds == 200)
        let others = try angel(["strict-api-key=false", "order-frames=text"])
        #expect(!others.checksAPIKey && !others.sendsOrdersAsBinary)
    }

    @Test func whatIsNotNamedStays() throws {
        #expect(try noren(["cooldown-ms=1", "cooldown-ms=2"]).cooldownMilliseconds == 2)
        var options = NorenOptions()
        options.acceptance = "Ok"
        let changed = try noren(["cooldown-ms=2"], .noren(.flattrade, options))
        #expect(changed.acceptance == "Ok" && changed.cooldownMilliseconds == 2)
        // A setting after a setting keeps the first one.
        let twice = try VenueKind.flattrade.setting(["generation=old"]).setting(["cooldown-ms=3"])
        #expect(try noren(["eviction-ms=4"], twice).generation == .old)
    }

    private static let known = "generation=new|old, cooldown-ms=0…3600000, eviction-ms=0…3600000, silence-ms=0…3600000"

    @Test(arguments: [
        ("generation", "The option generation has no value: write NAME=VALUE, such as cooldown-ms=5000."),
        ("color=red", "The broker flattrade has no option color. There are: \(known)."),
        ("=", "The broker flattrade has no option . There are: \(known)."),
        ("generation=Old", #"The option generation cannot be "Old": it takes new|old."#),
        ("cooldown-ms=-1", #"The option cooldown-ms cannot be "-1": it takes 0…3600000."#),
        ("silence-ms=3600001", #"The option silence-ms cannot be "3600001": it takes 0…3600000."#),
        ("silence-ms=", #"The option silence-ms cannot be "": it takes 0…3600000."#),
        ("eviction-ms=1s", #"The option eviction-ms cannot be "1s": it takes 0…3600000."#),
    ])
    func aWrongOneSaysWhatThereIs(pair: String, sentence: String) throws {
        let error = #expect(throws: SimulatorError.self) { try VenueKind.flattrade.setting([pair]) }
        #expect(error?.description == sentence)
    }

    @Test func someBrokersHaveNothingToSet() throws {
        #expect(VenueKind.zerodha.settings.isEmpty)
        #expect(try VenueKind.zerodha.setting([]).name == "zerodha")
        let error = #expect(throws: SimulatorError.self) { try VenueKind.zerodha.setting(["silence-ms=1"]) }
        #expect(error?.description == "The broker zerodha has no option silence-ms. It has none.")
    }
}
