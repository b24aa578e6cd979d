import Testing

@testable import BrokerSimulator

@Suite struct NorenFeedTests {
    /// The beginnings of messages, up to the token.
    private func heads(_ texts: [String]) -> [String] {
        texts.map { text in text.split(separator: ",").prefix(3).joined(separator: ",") }
    }

    @Test func everyScripIsAcknowledgedBySnapshot() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NSE|1594#BSE|500209#NSE|7#NSE|1594"}"#, on: socket)
        let expected = [#"{"t":"tk","e":"NSE","tk":"1594""#, #"{"t":"tk","e":"BSE","tk":"500209""#]
        #expect(heads(try bench.texts(socket)) == expected)
        bench.send(#"{"t":"d","k":"NSE|1594"}"#, on: socket)
        #expect(heads(try bench.texts(socket)) == [#"{"t":"dk","e":"NSE","tk":"1594""#])
        // The same again is answered again.
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        #expect(heads(try bench.texts(socket)) == [expected[0]])
    }

    @Test func bothFeedsRunSideBySide() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        bench.send(#"{"t":"d","k":"NSE|1594"}"#, on: socket)
        _ = try bench.frames(socket)
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.05,"close":1500}"#)
        #expect(
            try bench.texts(socket) == [
                #"{"t":"tf","e":"NSE","tk":"1594","lp":"1600.05","pc":"6.67","c":"1500.00"}"#,
                #"{"t":"df","e":"NSE","tk":"1594","lp":"1600.05","pc":"6.67","c":"1500.00","cp":"1500.00","ue":"\#(try limit(bench, \.upperCircuit))","le":"\#(try limit(bench, \.lowerCircuit))"}"#,
            ])
        // Nothing has changed since.
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.05}"#)
        #expect(try bench.frames(socket).isEmpty)
        try bench.perform("tick", #"{"instrument":"NSE|1594","tbq":7}"#)
        #expect(try bench.texts(socket) == [#"{"t":"df","e":"NSE","tk":"1594","tbq":"7"}"#])
    }

    @Test func whatAMutedConnectionMissesIsToldAfterwards() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        _ = try bench.frames(socket)
        try bench.perform("mute")
        try bench.perform("tick", #"{"instrument":"NSE|1594","volume":77}"#)
        try bench.perform("unmute")
        #expect(try bench.frames(socket).isEmpty)
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltq":7}"#)
        #expect(try bench.texts(socket) == [#"{"t":"tf","e":"NSE","tk":"1594","v":"77"}"#])
    }

    private func limit(_ bench: VenueBench, _ path: KeyPath<Quote, Int64>) throws -> String {
        let quote = bench.simulation.market.quotes[try bench.place("NSE:INFY")]
        return DecimalText.fixed(quote[keyPath: path], exponent: -2)
    }

    @Test func futuresOfNCDEXAreNCX() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NCX|2885"}"#, on: socket)
        let text = try #require(bench.texts(socket).first)
        #expect(
            text.hasPrefix(
                #"{"t":"tk","e":"NCX","tk":"2885","ts":"JEERAUNJHA28NOV23F","pp":"2","ls":"30","ti":"5.00""#))
        #expect(text.contains(#","oi":""#))
    }

    @Test func ticksAreCounted() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NSE|1594#NSE|2885"}"#, on: socket)
        bench.send(#"{"t":"d","k":"NSE|1594"}"#, on: socket)
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.05}"#)
        #expect(bench.simulation.state.packets == 5)
        // Nothing has changed, and what is not sent does not count.
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.05}"#)
        try bench.perform("mute")
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.1}"#)
        let connection = try #require(bench.simulation.state.connections.first)
        #expect(connection.packets == 5 && connection.sent["tick"] == 5 && connection.withheld == 2)
    }

    @Test func unsubscribingIsEchoed() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"NSE|1594#NSE|2885"}"#, on: socket)
        bench.send(#"{"t":"d","k":"NSE|1594"}"#, on: socket)
        _ = try bench.frames(socket)
        bench.send(#"{"t":"u","k":"NSE|1594"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"uk","k":"NSE|1594"}"#])
        #expect(
            bench.simulation.state.connections[0].subscriptions == [
                "touchline": ["NSE|2885"], "depth": ["NSE|1594"],
            ])
        bench.send(#"{"t":"ud","k":"NSE|1594"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"udk","k":"NSE|1594"}"#])
        try bench.perform("tick", #"{"instrument":"NSE|1594","ltp":1600.05}"#)
        #expect(try bench.frames(socket).isEmpty)
    }

    @Test func tokensCollideAcrossExchanges() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        bench.send(#"{"t":"t","k":"BSE|1"}"#, on: socket)
        let text = try #require(bench.texts(socket).first)
        #expect(text.contains(#""e":"BSE","tk":"1","ts":"SENSEX""#))
    }

    @Test func ordersAreToldToThoseWhoAsked() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try NorenSessionTests.session(bench)
        try bench.perform("order", #"{"instrument":"NSE:INFY"}"#)
        #expect(try bench.frames(socket).isEmpty)
        // Flattrade does not acknowledge it.
        bench.send(#"{"t":"o","actid":"SIM001"}"#, on: socket)
        #expect(try bench.frames(socket).isEmpty)
        try bench.perform("order", #"{"instrument":"NSE:INFY","life":"rejected"}"#)
        #expect(try bench.frames(socket).count == 3)
        bench.send(#"{"t":"uo"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"uok"}"#])
        try bench.perform("order", #"{"instrument":"NSE:INFY"}"#)
        #expect(try bench.frames(socket).isEmpty)
    }

    @Test func positionsFollowFills() throws {
        let bench = try VenueBench(.shoonya)
        let socket = try NorenSessionTests.session(bench, path: "/NorenWSAPI/")
        bench.send(#"{"t":"o","actid":"SIM001"}"#, on: socket)
        bench.send(#"{"t":"uo"}"#, on: socket)
        bench.send(#"{"t":"p","actid":"SIM001"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"ok"}"#, #"{"t":"uok"}"#, #"{"t":"pk"}"#])
        try bench.perform("order", #"{"instrument":"NSE:INFY","quantity":10,"price":1500,"side":"SELL"}"#)
        #expect(
            try bench.texts(socket)
                == ["-5", "-10"].map {
                    #"{"t":"pm","uid":"SIM001","actid":"SIM001","exch":"NSE","tsym":"INFY-EQ","token":"1594","prd":"I","#
                        + #""netqty":"\#($0)","netavgprc":"1500.00"}"#
                })
        bench.send(#"{"t":"up"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"upk"}"#])
    }
}
