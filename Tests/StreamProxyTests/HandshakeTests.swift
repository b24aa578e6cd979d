import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import StreamProxy

@Suite(.timeLimit(.minutes(1))) struct HandshakeTests {
    @Test(arguments: ["/", "/ws", "/ws/", "/any/path?x=1"]) func anyPath(path: String) async throws {
        try await House.with { house in
            let client = try await house.connect(path: path)
            #expect(client.head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(client.head.range(of: "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != nil)
            #expect(client.head.range(of: "Sec-WebSocket-Extensions") == nil)
            #expect(client.head.range(of: "Sec-WebSocket-Protocol") == nil)
        }
    }

    @Test func framesInTheSameSegmentAreNotLost() async throws {
        try await House.with { house in
            let ping = WireClient.frame(.text, Array(#"{"action":"ping","_pingId":1}"#.utf8))
            let client = try await house.connect(trailing: ping + ping)
            #expect(try await client.json()["_pingId"] == .int(1))
            #expect(try await client.json()["_pingId"] == .int(1))
        }
    }

    @Test func plainRequestsGetAHint() async throws {
        try await House.with { house in
            let answer = try await WireClient.exchange(port: house.proxy.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nThis is a WebSocket endpoint.\n"))
            let post = try await WireClient.exchange(
                port: house.proxy.port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            #expect(post.hasPrefix("HTTP/1.1 405"))
            let old = try await WireClient.exchange(
                port: house.proxy.port,
                "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 8\r\n\r\n")
            #expect(old.hasPrefix("HTTP/1.1 426"))
            #expect(old.range(of: "Sec-WebSocket-Version: 13") != nil)
            let noKey = try await WireClient.exchange(
                port: house.proxy.port,
                "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\n\r\n")
            #expect(noKey.hasPrefix("HTTP/1.1 400"))
            let noise = try await WireClient.exchange(port: house.proxy.port, "\u{1}\u{2}\u{3} nonsense\r\n\r\n")
            #expect(noise.hasPrefix("HTTP/1.1 400"))
            let endless = try await WireClient.exchange(
                port: house.proxy.port, "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 100_000))
            #expect(endless.hasPrefix("HTTP/1.1 431 Request Header Fields Too Large\r\n"))
        }
    }

    /// The whole table on real sockets: what is sent in place of a good request's line or beside its fields, and the answer.
    @Test(arguments: RequestTable.rows) func table(_ row: RequestTable.Row) async throws {
        try await House.with { house in
            let ping = WireClient.frame(.text, Array(#"{"action":"ping"}"#.utf8))
            let bye = WireClient.frame(.close, [3, 0xE8])
            let frames = row.isWelcome ? ping + bye : []
            let answer = try await WireClient.exchange(port: house.proxy.port, Array(row.request.utf8) + frames)
            #expect(answer.hasPrefix("HTTP/1.1 \(row.status) "), "\(row.name): \(answer.prefix(40))")
            if row.isWelcome {
                // Bytes behind the head are frames, never a part of it.
                #expect(answer.range(of: "Switching Protocols\r\n") != nil && answer.range(of: "pong") != nil)
            } else {
                let length = try #require(answer.range(of: "Content-Length: "))
                #expect(String(answer[length...]).range(of: "\r\n\r\n") != nil)
                #expect(answer.hasSuffix("\r\n\r\n") == row.request.hasPrefix("HEAD "), "\(row.name)")
                #expect((answer.range(of: "Sec-WebSocket-Version: 13\r\n") != nil) == (row.status == 426))
                #expect((answer.range(of: "Allow: GET, HEAD\r\n") != nil) == (row.status == 405))
            }
            let counted = house.proxy.counters.snapshot().protocolErrors[.handshake] ?? 0
            #expect(counted == (row.isWelcome || row.isInnocent ? 0 : 1), "\(row.name)")
        }
    }

    /// The answer arrives although the client is still sending what nobody reads.
    @Test func anAnswerOutlivesWhatComesBehindTheRequest() async throws {
        try await House.with { house in
            let body = String(repeating: "x", count: 300_000)
            let answer = try await WireClient.exchange(
                port: house.proxy.port,
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.hasSuffix("This is a WebSocket endpoint.\n"))
        }
    }

    /// However its bytes are cut, a head is read as the same head.
    @Test func headsInPieces() throws {
        var random = SeededNumbers.announced("heads in pieces")
        for row in RequestTable.rows {
            let bytes = Array(row.request.utf8) + [1, 2, 3]
            func read(_ pieces: [[UInt8]]) -> String {
                var reader = RequestHeadReader()
                do throws(RequestFault) {
                    for piece in pieces {
                        reader.append(ByteBuffer(bytes: piece))
                        guard let head = try reader.next() else { continue }
                        return "\(head.method) \(head.target) \(head.minorVersion) \(head.fields)"
                    }
                } catch {
                    return "\(error)"
                }
                return "more"
            }
            let whole = read([bytes])
            #expect(read(bytes.map { [$0] }) == whole, "\(row.name)")
            for _ in 0..<5 { #expect(read(random.pieces(bytes, upTo: 50)) == whole, "\(row.name)") }
        }
    }

    @Test func silentConnectionsAreDropped() throws {
        let bench = try Bench()
        let channel = EmbeddedChannel(loop: bench.loop)
        try HandshakeHandler.start(on: channel, shard: bench.shard)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try channel.writeInbound(ByteBuffer(string: "GET / HT"))
        bench.advance(seconds: 9.75)
        #expect(channel.isActive)
        bench.advance(seconds: 0.25)
        #expect(!channel.isActive)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test func aTakenPortIsNamed() async throws {
        try await House.with { house in
            let port = house.proxy.port
            await #expect {
                try await House.with({ $0.port = port }, { _ in })
            } throws: { error in
                (error as? ProxyStartError)?.code == .addressInUse
            }
        }
    }
}
