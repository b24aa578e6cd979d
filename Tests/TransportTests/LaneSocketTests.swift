import Adapters
import CFeedhostABI
import NIOCore
import NIOPosix
import NIOWebSocket
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct LaneSocketTests {
    /// Runs `body` on an event loop, and returns the recorder's events once `isLast` has come.
    private func events(
        _ body: @escaping @Sendable (LaneFixture) -> Void,
        reaction: @escaping @Sendable (LaneFixture, LaneRecorder.Event) -> Void = { _, _ in },
        until isLast: @escaping @Sendable (LaneRecorder.Event) -> Bool,
        after: @escaping @Sendable (LaneFixture) -> Void = { _ in }
    ) async throws -> [LaneRecorder.Event] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: Void.self)
        let bound = try await loop.submit {
            let fixture = LaneFixture(loop)
            fixture.recorder.reaction = { [unowned fixture] event in
                #expect(fixture.context.depth == 1)
                reaction(fixture, event)
                if isLast(event) { done.succeed() }
            }
            body(fixture)
            return NIOLoopBound(fixture, eventLoop: loop)
        }.get()
        try await done.futureResult.get()
        return try await loop.submit {
            let fixture = bound.value
            after(fixture)
            #expect(fixture.context.deepest == 1)
            fixture.lane.detach()
            return fixture.recorder.events
        }.get()
    }

    @Test func aSocketOpensTalksAndCloses() async throws {
        let server = try await TestServer(
            .webSocket(
                { _ in },
                { peer, frame in
                    guard frame.opcode == .text else { return }
                    peer.send(.text, "echo " + String(buffer: frame.unmaskedData))
                    peer.close(4_002)
                }))
        let port = server.port
        let events = try await events(
            { fixture in
                let (status, id) = fixture.open("ws://127.0.0.1:\(port)/", user: 5)
                #expect(status == fh_status(FH_OK))
                #expect(id > 0)
                // Nothing is open yet.
                #expect(fixture.send(id, "early") == fh_status(FH_E_STATE))
            },
            reaction: { fixture, event in
                if case .opened(let id, _, _) = event { #expect(fixture.send(id, "hi") == fh_status(FH_OK)) }
            },
            until: { if case .closed = $0 { true } else { false } },
            after: { fixture in
                #expect(fixture.lane.frames == 1)
                #expect(fixture.lane.bytes == 7)
                #expect(fixture.lane.lastActivity > 0)
            })
        guard case .opened(let id, 5, 101) = events.first else { throw Unexpected() }
        #expect(
            events.dropFirst() == [
                .frame(id, user: 5, opcode: 1, text: "echo hi"), .closed(id, code: 4_002, http: nil),
            ])
        try await server.stop()
    }

    @Test func aRefusalComesLaterAndWithItsStatus() async throws {
        let server = try await TestServer(.raw("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"))
        let port = server.port
        let events = try await events(
            { fixture in
                _ = fixture.open("ws://127.0.0.1:\(port)/")
                #expect(fixture.recorder.events.isEmpty)
            }, until: { _ in true })
        guard case .closed(_, 1_006, 401) = events.first else { throw Unexpected() }
        #expect(events.count == 1)
        try await server.stop()
    }

    @Test func aRequestIsAnswered() async throws {
        let server = try await TestServer(.raw("HTTP/1.1 429 Slow\r\nContent-Length: 4\r\n\r\nwait"))
        let port = server.port
        let events = try await events(
            { #expect($0.fetch("http://127.0.0.1:\(port)/").0 == fh_status(FH_OK)) }, until: { _ in true })
        guard case .fetched(_, fh_status(FH_E_LIMIT), 429, "wait") = events.first else { throw Unexpected() }
        try await server.stop()
    }

    @Test func badRequestsAreRefusedAtOnceAndWithoutSecrets() async throws {
        _ = try await events(
            { fixture in
                #expect(fixture.open("http://127.0.0.1/SECRET").0 == fh_status(FH_E_INVALID))
                #expect(fixture.open("nonsense SECRET").0 == fh_status(FH_E_INVALID))
                #expect(fixture.fetch("wss://127.0.0.1/SECRET").0 == fh_status(FH_E_INVALID))
                #expect(fixture.send(99_999_999, "x") == fh_status(FH_E_INVALID))
                #expect(fixture.context.troubles.count == 4)
                #expect(!fixture.context.troubles.joined().contains("SECRET"))
                _ = fixture.timer(delay: 1)
            }, until: { _ in true })
    }

    @Test func whatIsClosedIsSilent() async throws {
        let server = try await TestServer(.webSocket({ $0.send(.text, "never seen") }, { _, _ in }))
        let port = server.port
        let events = try await events(
            { fixture in
                _ = fixture.open("ws://127.0.0.1:\(port)/")
                let (_, request) = fixture.fetch("http://127.0.0.1:\(port)/")
                fixture.cancel(request)
            },
            reaction: { fixture, event in
                guard case .opened(let id, _, _) = event else { return }
                TransportLane.table.pointee.close(fixture.pointer, id, 1_000)
                _ = fixture.timer(delay: 20_000)
            },
            until: { if case .timer = $0 { true } else { false } })
        #expect(events.count == 2)
        try await server.stop()
    }

    private struct Unexpected: Error {}
}
