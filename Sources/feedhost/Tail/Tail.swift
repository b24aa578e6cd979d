import Foundation
import MarketData
import NIOCore
import NIOPosix
import Operations
import Secrets
import Transport

/// A client of the protocol: connects, authenticates, subscribes, shows, and comes back when the host has been away.
struct Tail: Sendable {
    let address: TailAddress
    let key: Secret
    let request: TailRequest
    let style: TailView.Style
    /// What stands above the live table; see ``TailView``.
    var heading = ""
    /// Ticks, after which it ends.
    var limit: Int?
    /// Whether a connection that was lost is made anew.
    var reconnects = true

    /// Runs until the task is cancelled, the limit is reached, or the host will have no more of this client.
    /// - Throws: ``StartError`` with the reason, ``Output/Closed``.
    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let view = TailView(style, instruments: request.instruments.map(\.description), heading: heading)
        do {
            var session = try TailSession(self, view, group.next())
            try await session.run()
            try view.end()
        } catch {
            if !(error is Output.Closed) { try? view.end() }
            try? await group.shutdownGracefully()
            throw error
        }
        try? await group.shutdownGracefully()
    }
}

/// A ``Tail`` that runs.
struct TailSession {
    private enum Event: Sendable {
        /// Of the connection with this number.
        case connection(Int, TailConnection.Event)
        /// The connection with this number should have answered by now.
        case overdue(Int)
        /// The wait is over.
        case again(Int)
        case beat
    }

    private static let patience = TimeAmount.seconds(15)

    private let tail: Tail
    private let view: TailView
    private let loop: any EventLoop
    private let options: WebSocketConnection.Options
    private let events: AsyncStream<Event>
    private let post: AsyncStream<Event>.Continuation

    private var number = 0
    private var connection: TailConnection?
    /// Whether this connection has got ticks, or the promise of some.
    private var isSubscribed = false
    /// Whether any has.
    private var wasSubscribed = false
    private var attempts = TailAttempts()
    private var ticks = 0

    init(_ tail: Tail, _ view: TailView, _ loop: any EventLoop) throws {
        self.tail = tail
        self.view = view
        self.loop = loop
        options = try tail.address.options()
        (events, post) = AsyncStream.makeStream(of: Event.self)
    }

    mutating func run() async throws {
        let beats = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(100)) { [post] _ in
            post.yield(.beat)
        }
        defer {
            beats.cancel()
            connection?.close()
        }
        try await connect()
        for await event in events {
            switch event {
            case .beat: try view.beat()
            case .again(number): try await connect()
            case .overdue(number):
                if !isSubscribed { try await lost("\(tail.address.url): connected, but the answer does not come") }
            case .connection(number, .opened):
                connection?.send(["action": "authenticate", "api_key": tail.key.revealed])
            case .connection(number, .message(let data)):
                try await take(data)
                connection?.shown()
                if let limit = tail.limit, ticks >= limit { return }
            case .connection(number, .closed(let end)): try await ended(end)
            // Of a connection that was given up.
            case .again, .overdue, .connection: break
            }
        }
    }

    // MARK: Connecting

    private mutating func connect() async throws {
        number += 1
        isSubscribed = false
        loop.scheduleTask(in: Self.patience) { [post, number] in post.yield(.overdue(number)) }
        connection = try await TailConnection.open(tail.address.url, options, on: loop) { [post, number] event in
            post.yield(.connection(number, event))
        }
    }

    private mutating func ended(_ end: TailEnd) async throws {
        // Why it never came to be is worth a closer look.
        let reason = isSubscribed ? end.reason : await end.explained(on: loop)
        guard end.isPassing else { throw StartError(reason) }
        try await lost(reason)
    }

    /// Waits for the next attempt, unless there has been no good one yet: then something in the command is wrong.
    private mutating func lost(_ reason: String) async throws {
        connection?.close()
        connection = nil
        guard wasSubscribed, tail.reconnects else { throw StartError("\(reason).") }
        let wait = attempts.failed()
        // Whatever still comes of the old one counts no more.
        number += 1
        view.lostHost(reason, next: Date() + Double(wait))
        loop.scheduleTask(in: .seconds(Int64(wait))) { [post, number] in post.yield(.again(number)) }
    }

    // MARK: Messages

    private mutating func take(_ data: Data) async throws {
        guard let message = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
        if message["status"] as? String == "error" { return try await refused(message) }
        switch message["type"] as? String {
        case "market_data":
            ticks += 1
            try view.tick(message, data)
        case "auth":
            view.foundHost()
            connection?.send(tail.request.json)
        case "subscribe": try await subscribed(message["subscriptions"] as? [[String: Any]] ?? [])
        case "notice": view.notice(message)
        default: break
        }
    }

    private mutating func refused(_ message: [String: Any]) async throws {
        let code = TailTexts.text(message["code"])
        let text = TailTexts.text(message["message"])
        let reason = "\(code.isEmpty ? "error" : code): \(text.isEmpty ? "no reason given" : text)"
        // A broker that is away, a host that starts: who was let in before will be again.
        let isPassing = [
            "BROKER_ERROR", "BROKER_INIT_ERROR", "BROKER_CONNECTION_ERROR", "RATE_LIMITED", "SERVER_ERROR",
        ]
        .contains(code)
        guard isPassing, wasSubscribed, !isSubscribed else {
            throw StartError(
                code == "AUTHENTICATION_ERROR"
                    ? "\(reason). `feedhost keys list` shows which keys there are, `feedhost keys issue NAME` makes one."
                    : reason)
        }
        try await lost("\(tail.address.url): \(reason)")
    }

    private mutating func subscribed(_ entries: [[String: Any]]) async throws {
        var failed = 0
        for entry in entries {
            let name = TailTexts.name(entry)
            if entry["status"] as? String == "error" {
                failed += 1
                view.remark(name, "refused: \(entry["message"] as? String ?? "no reason given")")
            } else if entry["pending"] as? Bool == true {
                view.remark(name, "pending: the broker has not confirmed it yet")
            }
        }
        guard failed < entries.count || entries.isEmpty else {
            let reason = "none of the symbols could be subscribed"
            guard wasSubscribed else { throw StartError(reason) }
            return try await lost("\(tail.address.url): \(reason)")
        }
        isSubscribed = true
        wasSubscribed = true
        attempts.connected()
    }
}
