import Foundation
import MarketData
import NIOCore
import NIOPosix
import PluginHost

/// A client of the protocol: connects, authenticates, subscribes, shows.
struct Tail: Sendable {
    let url: String
    let key: Secret
    let request: TailRequest
    let view: TailView
    var limit: Int?

    private enum Event: Sendable {
        case opened
        case message(Data)
        case closed(String)
    }

    /// Runs until the task is cancelled, the limit is reached or the host ends the connection.
    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let connection = try await loop.submit { [url] in
            NIOLoopBound(try Self.connect(url, on: loop, continuation), eventLoop: loop)
        }.get()
        do {
            var shown = 0
            loop: for await event in events {
                switch event {
                case .opened: send(["action": "authenticate", "api_key": key.revealed], connection, loop)
                case .closed(let reason): throw StartError(reason)
                case .message(let data):
                    guard let message = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                        continue
                    }
                    let isTick = try take(message, data, connection, loop)
                    if isTick { shown += 1 }
                    // Whoever was reading, such as `head`, has seen enough.
                    if view.isClosed { break loop }
                    if let limit, shown >= limit { break loop }
                }
            }
        } catch {
            view.end()
            try? await group.shutdownGracefully()
            throw error
        }
        view.end()
        loop.execute { connection.value.close() }
        try? await group.shutdownGracefully()
    }

    /// - Returns: True for a tick.
    private func take(
        _ message: [String: Any], _ data: Data, _ connection: NIOLoopBound<WebSocketConnection>, _ loop: any EventLoop
    ) throws -> Bool {
        if message["status"] as? String == "error" {
            throw StartError(
                "\(message["code"] as? String ?? "error"): \(message["message"] as? String ?? "no reason given")")
        }
        switch message["type"] as? String {
        case "auth":
            send(request.json, connection, loop)
            return false
        case "subscribe":
            let entries = message["subscriptions"] as? [[String: Any]] ?? []
            let failed = entries.filter { $0["status"] as? String == "error" }
            for entry in failed { view.note(entry["message"] as? String ?? "a symbol was refused") }
            if failed.count == entries.count { throw StartError("none of the symbols could be subscribed") }
            return false
        case "market_data":
            view.show(message, data)
            return true
        default: return false
        }
    }

    private func send(_ object: [String: Any], _ connection: NIOLoopBound<WebSocketConnection>, _ loop: any EventLoop) {
        guard let data = try? JSONSerialization.data(withJSONObject: object) else { return }
        loop.execute { try? connection.value.send(.text, ByteBuffer(bytes: data)) }
    }

    private static func connect(
        _ url: String, on loop: any EventLoop, _ events: AsyncStream<Event>.Continuation
    ) throws -> WebSocketConnection {
        try WebSocketConnection.connect(
            to: try TransportURL(url), on: loop,
            events: WebSocketEvents(
                opened: { _ in events.yield(.opened) },
                received: { opcode, bytes, _ in
                    if opcode == .text { events.yield(.message(Data(bytes.readableBytesView))) }
                },
                closed: { close in
                    let reason =
                        close.failure.map { "\($0)" }
                        ?? close.refusal.map { "\(url): the server has answered HTTP \($0.status)" }
                        ?? "\(url): the host has closed the connection (\(close.code)\(close.reason.isEmpty ? "" : ", \(close.reason)"))"
                    events.yield(.closed(reason))
                    events.finish()
                }))
    }
}
