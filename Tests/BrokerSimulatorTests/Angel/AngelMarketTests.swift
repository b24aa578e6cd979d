import NIOCore
import Testing

@testable import BrokerSimulator

@Suite struct AngelMarketTests {
    private func subscription(_ mode: Int, _ tokens: [String], exchange: Int = 1, action: Int = 1) -> String {
        let list = tokens.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"correlationID":"c","action":\#(action),"params":{"mode":\#(mode),"#
            + #""tokenList":[{"exchangeType":\#(exchange),"tokens":[\#(list)]}]}}"#
    }

    private func connect(_ bench: VenueBench) throws -> VenueBench.Socket {
        try bench.connect("/smart-stream", headers: AngelAccessTests.headers)
    }

    private static let limitFrame =
        #"{"correlationID":"c","errorCode":"E1002","errorMessage":"Invalid Request. Subscription Limit Exceeded."}"#

    @Test func everyNewPairGetsTheLastValues() throws {
        let bench = try VenueBench(.angel)
        let socket = try connect(bench)
        bench.send(subscription(1, ["1594", "2885"]), on: socket)
        bench.send(subscription(3, ["1594"]), on: socket)
        let frames = try bench.frames(socket)
        #expect(frames.map(\.opcode) == [2, 2, 2])
        #expect(frames.map(\.payload.count) == [51, 51, 379])
        // The same again, and tokens that do not exist, are passed over in silence.
        bench.send(subscription(1, ["1594", "7"]), on: socket)
        bench.send(subscription(1, ["2885"], exchange: 5), on: socket)
        #expect(try bench.frames(socket).isEmpty)
        try bench.perform("emit")
        #expect(
            try bench.frames(socket).map { [$0.payload[0], UInt8($0.payload.count & 255)] } == [
                [1, 51], [1, 51], [3, 123],
            ])
    }

    @Test func tokensOfNCDEXAreOtherInstruments() throws {
        let bench = try VenueBench(.angel)
        let socket = try connect(bench)
        bench.send(subscription(3, ["2885"], exchange: 7), on: socket)
        let packet = ByteBuffer(bytes: try #require(bench.frames(socket).first).payload)
        let quote = bench.simulation.market.quotes[try bench.place("NCDEX:JEERAUNJHA28NOV23FUT")]
        #expect(packet.getBytes(at: 0, length: 6) == [3, 7] + Array("2885".utf8))
        #expect(packet.getInteger(at: 43, endianness: .little) == quote.lastPrice)
        #expect(packet.getInteger(at: 131, endianness: .little) == quote.openInterest && quote.openInterest > 0)
        #expect(bench.simulation.state.connections[0].subscriptions == ["snapquote": ["7|2885"]])
    }

    @Test func unsubscribingLeavesOtherModes() throws {
        let bench = try VenueBench(.angel)
        let socket = try connect(bench)
        bench.send(subscription(1, ["1594"]), on: socket)
        bench.send(subscription(2, ["1594"]), on: socket)
        bench.send(subscription(1, ["1594", "2885"], action: 0), on: socket)
        _ = try bench.frames(socket)
        try bench.perform("emit")
        #expect(try bench.frames(socket).map(\.payload.count) == [123])
        #expect(bench.simulation.state.connections[0].subscriptions == ["quote": ["1|1594"]])
    }

    @Test func aThousandPairsAndNoMore() throws {
        let bench = try VenueBench(.angel) { $0.syntheticInstruments = 1_000 }
        let socket = try connect(bench)
        let tokens = (100_001...100_500).map(String.init)
        bench.send(subscription(1, tokens), on: socket)
        bench.send(subscription(2, tokens), on: socket)
        #expect(try bench.frames(socket).count == 1_000)
        bench.send(subscription(3, ["100001"]), on: socket)
        #expect(try bench.texts(socket) == [Self.limitFrame])
        // A duplicate is not counted, and what was there is undisturbed.
        bench.send(subscription(1, ["100001"]), on: socket)
        try bench.perform("emit")
        #expect(try bench.frames(socket).count == 1_000)
        bench.send(subscription(1, ["100002"], action: 0), on: socket)
        bench.send(subscription(3, ["100001"]), on: socket)
        #expect(try bench.frames(socket).map(\.payload.count) == [379])
    }

    @Test func fiftyTokensInDepth20() throws {
        let bench = try VenueBench(.angel) { $0.syntheticInstruments = 60 }
        let socket = try connect(bench)
        bench.send(subscription(4, (100_001...100_051).map(String.init)), on: socket)
        #expect(try bench.texts(socket) == [Self.limitFrame])
        bench.send(subscription(4, (100_001...100_050).map(String.init)), on: socket)
        #expect(try bench.frames(socket).map(\.payload.count) == Array(repeating: 443, count: 50))
        bench.send(subscription(4, ["3045"], exchange: 2), on: socket)
        #expect(
            try bench.texts(socket)
                == [#"{"correlationID":"c","errorCode":"E1001","errorMessage":"Invalid Request Payload."}"#])
    }

    @Test func textPingsAreAnswered() throws {
        let bench = try VenueBench(.angel)
        let socket = try connect(bench)
        bench.send("ping", on: socket)
        #expect(try bench.frames(socket) == [.init(opcode: 1, payload: Array("pong".utf8))])
        try bench.perform("heartbeats", #"{"on":false}"#)
        bench.send("ping", on: socket)
        #expect(try bench.frames(socket).isEmpty)
    }

    @Test(arguments: ["/smart-stream", "/smart-order-update"]) func silenceEndsTheConnection(path: String) throws {
        let bench = try VenueBench(.angel)
        let socket = try bench.connect(path, headers: AngelAccessTests.headers)
        bench.advance(milliseconds: 34_000)
        bench.send("ping", on: socket)
        bench.advance(milliseconds: 34_000)
        bench.simulation.venue.pinged(ByteBuffer(), on: socket.connection)
        bench.advance(milliseconds: 34_000)
        #expect(try bench.frames(socket).allSatisfy { $0.opcode != 8 })
        // Requests are no heartbeat.
        bench.send(subscription(1, ["1594"]), on: socket)
        bench.advance(milliseconds: 1_400)
        #expect(try bench.frames(socket).last?.closeCode == 1_000)
    }
}
