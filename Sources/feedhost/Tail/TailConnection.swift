import Foundation
import NIOCore
import Synchronization
import Transport

/// One connection of ``Tail``: what comes becomes events, and no more is taken than can be shown.
final class TailConnection: Sendable {
    enum Event: Sendable {
        case opened
        case message(Data)
        case closed(TailEnd)
    }

    /// Messages that may wait to be shown before no more are read: a terminal that was stopped with Ctrl-S takes none.
    private static let most = 2_000

    private let loop: any EventLoop
    private let connection: NIOLoopBound<WebSocketConnection>
    private let waiting: Waiting

    private final class Waiting: Sendable {
        let count = Atomic<Int>(0)
        let isPaused = Atomic<Bool>(false)
    }

    /// Starts to connect.
    /// - Throws: ``TransportFailure`` for an address that cannot be used; everything else comes as an event.
    static func open(
        _ url: TransportURL, _ options: WebSocketConnection.Options, on loop: any EventLoop,
        report: @escaping @Sendable (Event) -> Void
    ) async throws -> TailConnection {
        try await loop.submit { try TailConnection(url, options, loop, report) }.get()
    }

    private init(
        _ url: TransportURL, _ options: WebSocketConnection.Options, _ loop: any EventLoop,
        _ report: @escaping @Sendable (Event) -> Void
    ) throws {
        let waiting = Waiting()
        // The connection itself, which is made with these events.
        let place = NIOLoopBoundBox<WebSocketConnection?>(nil, eventLoop: loop)
        let made = try WebSocketConnection.connect(
            to: url, on: loop, options: options,
            events: WebSocketEvents(
                opened: { _ in report(.opened) },
                received: { opcode, bytes, _ in
                    guard opcode == .text else { return }
                    if waiting.count.add(1, ordering: .relaxed).newValue > Self.most {
                        waiting.isPaused.store(true, ordering: .relaxed)
                        place.value?.setPaused(true)
                    }
                    report(.message(Data(bytes.readableBytesView)))
                },
                closed: { report(.closed(TailEnd($0, url))) }))
        place.value = made
        self.loop = loop
        self.waiting = waiting
        connection = NIOLoopBound(made, eventLoop: loop)
    }

    /// One message has been shown.
    func shown() {
        let left = waiting.count.subtract(1, ordering: .relaxed).newValue
        guard left < Self.most / 10, waiting.isPaused.exchange(false, ordering: .relaxed) else { return }
        loop.execute { [connection] in connection.value.setPaused(false) }
    }

    func send(_ object: [String: Any]) {
        guard let data = try? JSONSerialization.data(withJSONObject: object) else { return }
        loop.execute { [connection] in try? connection.value.send(.text, ByteBuffer(bytes: data)) }
    }

    /// No event comes afterwards, except those that are under way.
    func close() { loop.execute { [connection] in connection.value.close() } }
}
