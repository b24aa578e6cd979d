import CFeedhostABI
import NIOCore
import NIOPosix

@testable import Transport

/// A connection under test, with its events as a sequence. Any task.
struct TestClient: Sendable {
    enum Event: Sendable {
        case opened(HTTPAnswer)
        case received(WebSocketMessageKind, String)
        case noticed(String)
        case closed(WebSocketClose)
    }

    let loop: any EventLoop
    private let connection: NIOLoopBound<WebSocketConnection>
    let events: AsyncStream<Event>

    static func connect(
        _ url: String, fields: [HeaderField] = [], options: WebSocketConnection.Options = .init()
    ) async throws -> TestClient {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (events, continuation) = AsyncStream<Event>.makeStream()
        let address = try TransportURL(url)
        let connection = try await loop.submit {
            var events = WebSocketEvents(
                opened: { continuation.yield(.opened($0)) },
                received: { opcode, bytes, _ in continuation.yield(.received(opcode, String(buffer: bytes))) },
                closed: {
                    continuation.yield(.closed($0))
                    continuation.finish()
                })
            events.noticed = { continuation.yield(.noticed($0)) }
            let connection = try WebSocketConnection.connect(
                to: address, fields: fields, on: loop, options: options, events: events)
            return NIOLoopBound(connection, eventLoop: loop)
        }.get()
        return TestClient(loop: loop, connection: connection, events: events)
    }

    func run<T: Sendable>(_ body: @escaping @Sendable (WebSocketConnection) throws -> T) async throws -> T {
        try await loop.submit { [connection] in try body(connection.value) }.get()
    }

    /// Messages until the end, and the end.
    func finish() async -> (messages: [String], close: WebSocketClose?) {
        var messages: [String] = []
        for await event in events {
            switch event {
            case .opened, .noticed: break
            case .received(_, let text): messages.append(text)
            case .closed(let close): return (messages, close)
            }
        }
        return (messages, nil)
    }
}
