import Foundation
import NIOCore
import Testing

@testable import BrokerSimulator

/// Clients may send anything: a simulator neither crashes nor hangs up. `FEEDHOST_FUZZ` is how many messages to each.
@Suite struct RequestFuzzTests {
    private static let angel = [
        #"{"correlationID":"abcde12345","action":1,"params":{"mode":3,"tokenList":[{"exchangeType":1,"tokens":["1594"]}]}}"#,
        #"{"action":0,"params":{"mode":4,"tokenList":[{"exchangeType":1,"tokens":["1594","2885"]}]}}"#, "ping",
    ]
    private static let noren = [
        #"{"t":"t","k":"NSE|1594#BSE|1"}"#, #"{"t":"ud","k":"NSE|1594"}"#, #"{"t":"o","actid":"SIM001"}"#,
        #"{"t":"h"}"#,
    ]
    private static let kite = [
        #"{"a":"subscribe","v":[408065,256265]}"#, #"{"a":"unsubscribe","v":[256265]}"#,
        #"{"a":"mode","v":["full",[408065]]}"#,
    ]
    private static let rounds = ProcessInfo.processInfo.environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 500

    /// A valid message with a few bytes changed, removed or doubled.
    private func mutated(_ text: String, _ draws: inout Draws) -> ByteBuffer {
        var bytes = Array(text.utf8)
        for _ in 0...draws.below(4) where !bytes.isEmpty {
            let place = Int(draws.below(Int64(bytes.count)))
            switch draws.below(4) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: draws.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default: bytes.removeSubrange(place...)
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test(arguments: [UInt64(1), UInt64.random(in: 0 ... .max)]) func survivesAnything(seed: UInt64) throws {
        print("RequestFuzzTests: seed \(seed)")
        var draws = Draws(seed: seed, stream: 0)
        let angel = try VenueBench(.angel)
        let noren = try VenueBench(.flattrade)
        let kite = try VenueBench(.zerodha)
        let socket = try angel.connect("/smart-stream", headers: AngelAccessTests.headers)
        let session = try NorenSessionTests.session(noren)
        let ticker = try kite.connect("/?api_key=simkey&access_token=simtoken")
        let all = [(angel, socket, Self.angel), (noren, session, Self.noren), (kite, ticker, Self.kite)]
        for round in 0..<Self.rounds {
            for (bench, socket, texts) in all {
                let message = mutated(texts[Int(draws.below(Int64(texts.count)))], &draws)
                bench.simulation.venue.received(message, isText: true, on: socket.connection)
                if round.isMultiple(of: 100) { try bench.perform("emit") }
                _ = try bench.frames(socket)
            }
        }
        #expect(socket.connection.isOpen && session.connection.isOpen && ticker.connection.isOpen)
        kite.send(#"{"a":"subscribe","v":[408065]}"#, on: ticker)
        #expect(try !kite.frames(ticker).isEmpty)
        angel.send("ping", on: socket)
        #expect(try angel.texts(socket) == ["pong"])
        noren.send(#"{"t":"h"}"#, on: session)
        #expect(try noren.texts(session) == [#"{"t":"hk","hk":"1700000000"}"#])
    }
}
