import CFeedhostABI
import CZeroMQ
import MarketData
import Testing

@testable import MarketBus
@testable import Secrets

/// A bus on ephemeral ports with one shard, and what a test wants to do with it.
final class BusUnderTest {
    let instruments = InstrumentHandles()
    let bus: SharedPublisher
    let port: any BusReader
    private var received: [(key: RouteKey, snapshot: Bool, json: String)] = []
    private var orders: [(user: String, json: String)] = []
    private let bell = Bell()

    /// Lets a test sleep until the bus has rung.
    private final class Bell: Sendable {
        let pipe: SignalPipe
        init() {
            guard let pipe = try? SignalPipe() else { preconditionFailure("no pipe") }
            self.pipe = pipe
        }
    }

    init(_ change: (inout BusConfiguration) -> Void = { _ in }) throws {
        var configuration = BusConfiguration()
        configuration.port = .init(0, isExplicit: true)
        configuration.brokers = ["simulator", "binance"]
        change(&configuration)
        bus = try SharedPublisher(configuration, instruments: instruments)
        port = bus.makeReader(0)
        port.wake { [bell] in bell.pipe.ring() }
    }

    func stop() {
        port.close()
        bus.stop()
    }

    func handle(_ exchange: String, _ symbol: String) throws -> UInt32 {
        try #require(instruments.handle(of: Instrument(exchange: exchange, symbol: symbol)))
    }

    /// A session with one connection on which ticks of the instrument are taken.
    func open(user: String = "alice", _ handle: UInt32) -> (session: UInt32, feed: TickFeed) {
        let session = bus.openSession(user: user, broker: "simulator")
        bus.track(session: session, instrument: handle)
        return (session, bus.makeFeed(session: session))
    }

    /// The next message of the inner bus; nil when none has come for 5 seconds.
    func next() -> (key: RouteKey, snapshot: Bool, json: String)? {
        wait { !received.isEmpty } ? received.removeFirst() : nil
    }

    func nextOrder() -> (user: String, json: String)? { wait { !orders.isEmpty } ? orders.removeFirst() : nil }

    private func wait(_ isDone: () -> Bool) -> Bool {
        while !isDone() {
            let count = port.drain(limit: 100) { event in
                switch event {
                case .data(let key, let snapshot, let payload):
                    received.append((key, snapshot, String(decoding: payload, as: UTF8.self)))
                case .order(let header, let payload):
                    orders.append((header.user, String(decoding: payload, as: UTF8.self)))
                }
            }
            if isDone() { return true }
            if count == 0 {
                port.rearm()
                var item = zmq_pollitem_t(socket: nil, fd: bell.pipe.reader, events: Int16(ZMQ_POLLIN), revents: 0)
                guard zmq_poll(&item, 1, 5_000) > 0 else { return false }
                bell.pipe.drain()
            }
        }
        return true
    }

    /// A tick with a last price.
    static func tick(_ handle: UInt32, ltp: Int64, _ change: (inout fh_tick) -> Void = { _ in }) -> fh_tick {
        var tick = fh_tick()
        tick.instrument = handle
        tick.kind = UInt16(FH_MODE_LTP)
        tick.fields = UInt64(FH_F_LTP)
        tick.price_exp = -2
        tick.ltp = ltp
        tick.ts_recv = fh_ts_none()
        tick.ts_exchange = fh_ts_none()
        change(&tick)
        return tick
    }
}

extension TickFeed {
    func send(_ tick: fh_tick) {
        withUnsafePointer(to: tick) { _ = publish(UnsafeBufferPointer(start: $0, count: 1), now: 1_000_000_000) }
    }
}

/// A publisher or subscriber outside the program.
final class Outsider {
    private let context: UnsafeMutableRawPointer
    private let socket: UnsafeMutableRawPointer

    init(_ type: Int32, connect endpoint: String, keys: CurveCertificate? = nil, server: String = "") throws {
        context = try #require(zmq_ctx_new())
        socket = try #require(zmq_socket(context, type))
        var linger: Int32 = 1000
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
        // Ten thousand subscriptions at once would not fit into libzmq's thousand.
        var unlimited: Int32 = 0
        zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, 4)
        var timeout: Int32 = 5000
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, 4)
        if let keys {
            for (option, key) in [
                (ZMQ_CURVE_SERVERKEY, server), (ZMQ_CURVE_PUBLICKEY, keys.publicKey),
                (ZMQ_CURVE_SECRETKEY, keys.secretKey?.revealed ?? ""),
            ] { try #require(zmq_setsockopt(socket, option, key, key.utf8.count + 1) == 0) }
        }
        try #require(zmq_connect(socket, endpoint) == 0)
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
    }

    func subscribe(_ prefix: String) { zmq_setsockopt(socket, ZMQ_SUBSCRIBE, prefix, prefix.utf8.count) }

    func send(_ frames: String...) {
        for (index, frame) in frames.enumerated() {
            zmq_send(socket, frame, frame.utf8.count, index + 1 < frames.count ? ZMQ_SNDMORE : 0)
        }
    }

    /// The next frame; nil after 5 seconds.
    func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = zmq_recv(socket, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    /// Waits until the other side has subscribed (XPUB only).
    func awaitSubscriber(milliseconds: Int32 = 5000) -> Bool {
        var timeout = milliseconds
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, 4)
        return receive() == "\u{1}"
    }
}
