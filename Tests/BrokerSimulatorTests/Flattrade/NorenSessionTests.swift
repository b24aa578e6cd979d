import NIOCore
import NIOHTTP1
import Testing

@testable import BrokerSimulator

@Suite struct NorenSessionTests {
    static let login = #"{"t":"a","uid":"SIM001","actid":"SIM001","source":"API","accesstoken":"simtoken"}"#
    static let accepted = #"{"t":"ak","uid":"SIM001","s":"OK"}"#
    static let path = "/PiConnectWSAPI/"

    static func session(_ bench: VenueBench, path: String = path) throws -> VenueBench.Socket {
        let socket = try bench.connect(path)
        bench.send(login, on: socket)
        #expect(try bench.texts(socket) == [accepted])
        return socket
    }

    @Test func theFirstMessageIsTheLogin() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try bench.connect(Self.path)
        // Before it nothing is answered, but for heartbeats.
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        #expect(try bench.frames(socket).isEmpty)
        bench.send(Self.login, on: socket)
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        let texts = try bench.texts(socket)
        #expect(texts.count == 2)
        #expect(texts.first == Self.accepted)
    }

    @Test func theWordOfAcceptanceIsAnOption() throws {
        var options = NorenOptions()
        options.acceptance = "Ok"
        let bench = try VenueBench(.noren(.flattrade, options))
        let socket = try bench.connect(Self.path)
        bench.send(Self.login, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"ak","uid":"SIM001","s":"Ok"}"#])
    }

    @Test(arguments: [
        (#"{"t":"a","uid":"SIM001","actid":"SIM001","accesstoken":"old"}"#, #"{"t":"ak","uid":"SIM001","s":"Not_Ok"}"#),
        (#"{"t":"a","uid":"X","actid":"X","accesstoken":"simtoken"}"#, #"{"t":"ak","uid":"X","s":"Not_Ok"}"#),
        (
            #"{"t":"c","uid":"SIM001","actid":"SIM001","susertoken":"simtoken"}"#,
            #"{"t":"ck","uid":"SIM001","s":"NOT_OK"}"#
        ),
    ])
    func aRefusedSocketStaysOpenAndMute(login: String, answer: String) throws {
        let bench = try VenueBench(.flattrade)
        let socket = try bench.connect(Self.path)
        bench.send(login, on: socket)
        #expect(try bench.texts(socket) == [answer])
        bench.send(Self.login, on: socket)
        bench.send(#"{"t":"h"}"#, on: socket)
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        bench.advance(milliseconds: 10_000)
        #expect(try bench.frames(socket).isEmpty)
        #expect(socket.connection.isOpen)
        #expect(bench.simulation.log.counts[401] == 1)
    }

    @Test func theOldGenerationIsAnOption() throws {
        let former = #expect(throws: VenueBench.Refused.self) {
            try VenueBench(.flattrade).connect("/PiConnectWSTp/")
        }
        #expect(former?.answer.status == .forbidden)
        var options = NorenOptions()
        options.generation = .old
        let bench = try VenueBench(.noren(.flattrade, options))
        for path in ["/PiConnectWSTp/", "/PiConnectWSAPI/", "/PiConnectWSAPI"] {
            let socket = try bench.connect(path)
            bench.send(#"{"t":"c","uid":"SIM001","actid":"SIM001","susertoken":"simtoken","source":"API"}"#, on: socket)
            #expect(try bench.texts(socket) == [#"{"t":"ck","uid":"SIM001","s":"OK"}"#])
        }
        let refused = #expect(throws: VenueBench.Refused.self) { try bench.connect("/NorenWSAPI/") }
        #expect(refused?.answer.status == .notFound)
    }

    @Test func aSecondLoginThrowsTheFirstOut() throws {
        let bench = try VenueBench(.flattrade)
        let first = try Self.session(bench)
        let second = try Self.session(bench)
        bench.advance(milliseconds: 149)
        #expect(try bench.frames(first).isEmpty)
        bench.advance(milliseconds: 1)
        #expect(try bench.frames(first) == [.init(opcode: 8, payload: [0x03, 0xE8])])
        bench.advance(milliseconds: 10_000)
        #expect(try bench.frames(second).isEmpty)
        #expect(second.connection.isOpen)
        // A login that is refused throws nobody out.
        let third = try bench.connect(Self.path)
        bench.send(#"{"t":"a","uid":"SIM001","actid":"SIM001","accesstoken":"old"}"#, on: third)
        bench.advance(milliseconds: 1_000)
        #expect(second.connection.isOpen)
    }

    @Test func aTokenCoolsDownAfterItsClientHasLeft() throws {
        var options = NorenOptions()
        options.cooldownMilliseconds = 5_000
        let bench = try VenueBench(.noren(.flattrade, options))
        bench.leave(try Self.session(bench))
        bench.advance(milliseconds: 4_999)
        let early = try bench.connect(Self.path)
        bench.send(Self.login, on: early)
        #expect(try bench.texts(early) == [#"{"t":"ak","uid":"SIM001","s":"Not_Ok"}"#])
        bench.advance(milliseconds: 1)
        _ = try Self.session(bench)
    }

    @Test func anEvictedTokenNeedsNoRest() throws {
        var options = NorenOptions()
        options.cooldownMilliseconds = 5_000
        let bench = try VenueBench(.noren(.flattrade, options))
        let first = try Self.session(bench)
        try bench.perform("evict")
        #expect(try bench.frames(first).map(\.closeCode) == [1_000])
        bench.leave(first)
        _ = try Self.session(bench)
    }

    @Test func rolledTokensAreRefused() throws {
        let bench = try VenueBench(.flattrade)
        try bench.perform("roll", #"{"token":"next"}"#)
        let socket = try bench.connect(Self.path)
        bench.send(Self.login, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"ak","uid":"SIM001","s":"Not_Ok"}"#])
    }

    @Test func heartbeatsAreAnswered() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try Self.session(bench)
        bench.send(#"{"t":"h"}"#, on: socket)
        #expect(try bench.texts(socket) == [#"{"t":"hk","hk":"1700000000"}"#])
        #expect(socket.connection.counters.heartbeats == 1)
        var options = NorenOptions()
        options.answersHeartbeatsBarely = true
        let bare = try VenueBench(.noren(.flattrade, options))
        let other = try Self.session(bare)
        bare.send(#"{"t":"h"}"#, on: other)
        #expect(try bare.texts(other) == [#"{"t":"h"}"#])
    }

    @Test func silenceEndsTheConnection() throws {
        let bench = try VenueBench(.flattrade)
        let socket = try Self.session(bench)
        bench.advance(milliseconds: 70_000)
        bench.send(#"{"t":"h"}"#, on: socket)
        bench.advance(milliseconds: 70_000)
        // The official client hides its heartbeat in a ping.
        bench.simulation.venue.pinged(ByteBuffer(string: #"{"t":"h"}"#), on: socket.connection)
        bench.advance(milliseconds: 70_000)
        #expect(socket.connection.isOpen)
        bench.send(#"{"t":"t","k":"NSE|1594"}"#, on: socket)
        bench.advance(milliseconds: 5_400)
        #expect(try bench.frames(socket).last?.closeCode == 1_000)
    }
}
