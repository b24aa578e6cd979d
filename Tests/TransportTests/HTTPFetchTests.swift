import CFeedhostABI
import NIOCore
import NIOPosix
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct HTTPFetchTests {
    private func fetch(
        _ answer: TestServer.Behaviour, method: HTTPFetch.Method = .get, timeout: Int64 = 10_000
    ) async throws -> (status: Int?, body: String, failure: TransportFailure?) {
        let server = try await TestServer(answer)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let url = try TransportURL("http://127.0.0.1:\(server.port)/path?key=SECRET")
        let (outcomes, continuation) = AsyncStream<(Int?, String, TransportFailure?)>.makeStream()
        try await loop.submit {
            let request = HTTPFetch.Request(
                url: url, method: method, fields: [HeaderField("X-Key", "SECRET")], body: ByteBuffer(string: "{}"),
                timeout: timeout)
            _ = try HTTPFetch.start(request, on: loop, tls: nil) { outcome in
                let body = outcome.answer.map { String(buffer: $0.body) } ?? ""
                continuation.yield((outcome.answer?.status, body, outcome.failure))
                continuation.finish()
            }
        }.get()
        var iterator = outcomes.makeAsyncIterator()
        let outcome = await iterator.next()
        try await server.stop()
        let (status, body, failure) = try #require(outcome)
        #expect(failure?.message.contains("SECRET") != true)
        return (status, body, failure)
    }

    @Test func answersComeWhole() async throws {
        let plain = try await fetch(.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
        #expect((plain.status, plain.body) == (200, "hello"))
        let chunked = try await fetch(
            .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), method: .post
        )
        #expect((chunked.status, chunked.body) == (200, "abcde"))
        let unbounded = try await fetch(.raw("HTTP/1.1 200 OK\r\n\r\nuntil the end"))
        #expect((unbounded.status, unbounded.body) == (200, "until the end"))
    }

    /// `{"ok":true}`, made by gzip(1) and by zlib.
    @Test(arguments: [
        ("gzip", "1f8b0800000000000203ab56cacf56b22a292a4dad0500905fd4a70b000000"),
        ("deflate", "789cab56cacf56b22a292a4dad050016e30411"),
    ])
    func compressedAnswersAreUndone(encoding: String, hex: String) async throws {
        let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: \(encoding)\r\nContent-Length: \(bytes.count)\r\n\r\n"
        let whole = try await fetch(.rawBytes(head, bytes))
        #expect((whole.status, whole.body) == (200, "{\"ok\":true}"))
        let shorter = "HTTP/1.1 200 OK\r\nContent-Encoding: \(encoding)\r\nContent-Length: \(bytes.count - 9)\r\n\r\n"
        let cut = try await fetch(.rawBytes(shorter, Array(bytes.dropLast(9))))
        #expect(cut.failure?.status == fh_status(FH_E_NETWORK))
    }

    @Test func redirectsAreHandedBack() async throws {
        let answer = try await fetch(.raw("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"))
        #expect(answer.status == 302)
        #expect(answer.failure == nil)
    }

    @Test func whatIsCompressedOrTooLargeOrCutIsAFailure() async throws {
        let damaged = try await fetch(.raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"))
        #expect(damaged.failure?.status == fh_status(FH_E_NETWORK))
        let brotli = try await fetch(.raw("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"))
        #expect(brotli.failure?.status == fh_status(FH_E_UNSUPPORTED))
        let large = try await fetch(.raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx"))
        #expect(large.failure?.status == fh_status(FH_E_LIMIT))
        let cut = try await fetch(.raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"))
        #expect(cut.failure?.status == fh_status(FH_E_NETWORK))
        let junk = try await fetch(.raw("this is not HTTP\r\n\r\n"))
        #expect(junk.failure?.status == fh_status(FH_E_NETWORK))
    }

    @Test func aMuteServerTimesOut() async throws {
        let answer = try await fetch(.mute, timeout: 50)
        #expect(answer.failure?.status == fh_status(FH_E_TIMEOUT))
    }
}
