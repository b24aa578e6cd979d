import CFeedhostABI
import NIOCore
import NIOWebSocket
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct WebSocketConnectionTests {
    private func close(
        _ opened: @escaping @Sendable (WebSocketPeer) -> Void, options: WebSocketConnection.Options = .init()
    ) async throws -> (messages: [String], close: WebSocketClose?) {
        let server = try await TestServer(.webSocket(opened, { _, _ in }))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/", options: options)
        let result = await client.finish()
        try await server.stop()
        return result
    }

    @Test func messagesGoBothWays() async throws {
        let server = try await TestServer(
            .webSocket(
                { $0.send(.text, "hello") },
                { peer, frame in
                    guard frame.opcode == .text else { return }
                    #expect(frame.maskKey != nil)
                    peer.send(.text, "echo " + String(buffer: frame.unmaskedData))
                    peer.close(4_001, "enough")
                }))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/path?x=1")
        var iterator = client.events.makeAsyncIterator()
        guard case .opened(let answer) = await iterator.next() else { throw Unexpected() }
        #expect(answer.status == 101)
        #expect(answer.fields.contains { $0.name == "X-Test" })
        try await client.run { try $0.send(.text, ByteBuffer(string: "ping")) }
        guard case .received(.text, "hello") = await iterator.next() else { throw Unexpected() }
        guard case .received(.text, "echo ping") = await iterator.next() else { throw Unexpected() }
        guard case .closed(let close) = await iterator.next() else { throw Unexpected() }
        #expect(close.code == 4_001)
        #expect(close.reason == "enough")
        #expect(close.failure == nil)
        try await server.stop()
    }

    @Test func aRefusedUpgradeArrivesWithItsFieldsAndBody() async throws {
        let server = try await TestServer(
            .raw("HTTP/1.1 403 Forbidden\r\nX-Reason: token expired\r\nContent-Length: 4\r\n\r\nlate"))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/?token=SECRET")
        let close = try #require(await client.finish().close)
        let refusal = try #require(close.refusal)
        #expect(close.code == 1_006)
        #expect(refusal.status == 403)
        #expect(refusal.upgradeOutcome == fh_status(FH_E_AUTH))
        #expect(refusal.fields.contains(HeaderField("X-Reason", "token expired")))
        #expect(String(buffer: refusal.body) == "late")
        try await server.stop()
    }

    @Test func aRefusalsBodyIsBounded() async throws {
        let body = String(repeating: "x", count: 200_000)
        let server = try await TestServer(.raw("HTTP/1.1 500 No\r\nContent-Length: 200000\r\n\r\n\(body)"))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/")
        let refusal = try #require(await client.finish().close?.refusal)
        #expect(refusal.body.readableBytes == WebSocketConnection.maxRefusal)
        #expect(refusal.upgradeOutcome == fh_status(FH_E_NETWORK))
        try await server.stop()
    }

    @Test func fragmentsArriveJoinedWithPingsBetweenThem() async throws {
        let result = try await close { peer in
            peer.send(.text, "one ", fin: false)
            peer.send(.ping, "between")
            peer.send(.continuation, "two ", fin: false)
            peer.send(.continuation, "three")
            peer.close(1_000)
        }
        #expect(result.messages == ["one two three"])
        #expect(result.close?.code == 1_000)
    }

    @Test func pingsAreAnsweredAndPongsPassedOn() async throws {
        let server = try await TestServer(
            .webSocket(
                { $0.send(.ping, "are you there") },
                { peer, frame in
                    guard frame.opcode == .pong else { return }
                    peer.send(.pong, "heard: " + String(buffer: frame.unmaskedData))
                    peer.close(1_000)
                }))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/")
        let result = await client.finish()
        #expect(result.messages == ["heard: are you there"])
        try await server.stop()
    }

    @Test func whatBreaksTheProtocolIsClosedWithItsCode() async throws {
        var small = WebSocketConnection.Options()
        small.maxMessage = 1_024
        let big = String(repeating: "x", count: 700)
        let cases: [(UInt16, @Sendable (WebSocketPeer) -> Void)] = [
            (1_002, { $0.send(.text, "x", rsv1: true) }),
            (1_002, { $0.send(.text, "x", mask: true) }),
            (1_002, { $0.send(.continuation, "x") }),
            (1_002, { $0.send(.ping, "x", fin: false) }),
            (1_002, { $0.send(.init(encodedWebSocketOpcode: 3) ?? .text, "x") }),
            (1_002, { $0.close(1_005) }),
            (
                1_002,
                { peer in
                    peer.send(.text, "x", fin: false)
                    peer.send(.text, "y")
                }
            ),
            (1_007, { $0.send(.text, ByteBuffer(bytes: [0x61, 0xFF])) }),
            (1_009, { $0.send(.text, big + big) }),
            (
                1_009,
                { peer in
                    peer.send(.text, big, fin: false)
                    peer.send(.continuation, big)
                }
            ),
        ]
        for (index, (code, misdeed)) in cases.enumerated() {
            let result = try await close(misdeed, options: small)
            #expect(result.close?.code == code, "case \(index)")
            #expect(result.close?.failure != nil, "case \(index)")
            #expect(result.messages.isEmpty, "case \(index)")
        }
    }

    @Test func aServerThatHangsUpIsNoticed() async throws {
        let result = try await close { $0.channel.close(promise: nil) }
        #expect(result.close?.code == 1_006)
    }

    @Test func aMuteServerTimesOut() async throws {
        let server = try await TestServer(.mute)
        var options = WebSocketConnection.Options()
        options.timeout = 50
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/?SECRET", options: options)
        let failure = try #require(await client.finish().close?.failure)
        #expect(failure.status == fh_status(FH_E_TIMEOUT))
        #expect(!failure.message.contains("SECRET"))
        try await server.stop()
    }

    @Test func aMissingPongEndsTheConnection() async throws {
        // The server answers no ping: its handler hears them and keeps still.
        var options = WebSocketConnection.Options()
        options.pingInterval = 10
        options.pongTimeout = 30
        let result = try await close({ _ in }, options: options)
        #expect(result.close?.failure?.status == fh_status(FH_E_TIMEOUT))
    }

    @Test func nobodyIsThere() async throws {
        let port = try ReservedPort()
        let client = try await TestClient.connect("ws://127.0.0.1:\(port.number)/")
        let failure = try #require(await client.finish().close?.failure)
        #expect(failure.status == fh_status(FH_E_NETWORK))
        #expect(failure.message.hasPrefix("ws://127.0.0.1:\(port.number): "))
        withExtendedLifetime(port) {}
    }

    @Test func sendingIsBounded() async throws {
        // The server does not read, so what is sent stays here once the kernel is full.
        let server = try await TestServer(
            .webSocket({ _ = $0.channel.setOption(.autoRead, value: false) }, { _, _ in }))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/")
        var iterator = client.events.makeAsyncIterator()
        guard case .opened = await iterator.next() else { throw Unexpected() }
        let block = ByteBuffer(repeating: 0x78, count: 1 << 18)
        let refused = try await client.run { connection in
            for _ in 0..<1_000 {
                do throws(TransportFailure) { try connection.send(.binary, block) } catch { return error.status }
            }
            return fh_status(FH_OK)
        }
        #expect(refused == fh_status(FH_E_LIMIT))
        try await client.run { $0.close() }
        try await server.stop()
    }

    @Test func nothingIsHeardAfterClose() async throws {
        let server = try await TestServer(.webSocket({ $0.send(.text, "first") }, { _, _ in }))
        let client = try await TestClient.connect("ws://127.0.0.1:\(server.port)/")
        var iterator = client.events.makeAsyncIterator()
        guard case .opened = await iterator.next() else { throw Unexpected() }
        try await client.run { connection in
            connection.close(code: 3_000)
            #expect(throws: TransportFailure.self) { try connection.send(.text, ByteBuffer(string: "late")) }
        }
        try await server.stop()
    }

    private struct Unexpected: Error {}
}
