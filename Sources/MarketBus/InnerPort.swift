import CZeroMQ
import Glibc
import MarketData
import Synchronization

/// A shard's SUB socket on the inner bus, and the thread that tells the shard's event loop when to read it.
///
/// libzmq's descriptor must not be read by anybody but libzmq, so an event loop cannot watch it. A small thread polls it
/// and signals; it never touches the socket.
final class InnerPort: BusPort {
    private let shard: UInt8
    private let socket: ZMQSocket
    private let message = ZMQMessage()
    private let payload = ZMQMessage()
    private let bell: Bell
    private var thread: BusThread?
    private var signal: (@Sendable () -> Void)?

    init(shard: UInt8, context: ZMQContext) throws {
        precondition(shard < 64, "interest is kept in a mask of 64 shards")
        self.shard = shard
        let socket = try ZMQSocket(ZMQ_SUB, in: context)
        try socket.set(ZMQ_RCVHWM, InnerTopic.highWaterMark)
        try socket.connect(InnerTopic.endpoint)
        InnerTopic.orders(shard: shard).withUnsafeBytes { socket.set(ZMQ_SUBSCRIBE, $0) }
        bell = try Bell(watching: try socket.descriptor())
        self.socket = socket
    }

    func subscribe(_ key: RouteKey) { set(ZMQ_SUBSCRIBE, key) }
    func unsubscribe(_ key: RouteKey) { set(ZMQ_UNSUBSCRIBE, key) }

    private func set(_ option: Int32, _ key: RouteKey) {
        withUnsafeTemporaryAllocation(byteCount: RouteKey.wireSize, alignment: 8) { bytes in
            guard let base = bytes.baseAddress else { return }
            key.write(to: base, shard: shard)
            socket.set(option, UnsafeRawBufferPointer(bytes))
        }
        // Every call into libzmq may take the edge of its descriptor with it; then the bell stays silent for what has
        // come in meanwhile (zmq_getsockopt(3), ZMQ_FD).
        if socket.isReadable { signal?() }
    }

    func drain(limit: Int, _ body: (BusEvent) -> Void) -> Int {
        var count = 0
        while count < limit, socket.receive(into: message) {
            count += 1
            guard message.hasMore, socket.receive(into: payload) else { continue }
            let topic = message.bytes
            if topic.count >= 2, topic[1] == InnerTopic.orderMark {
                body(.order(user: String(decoding: topic.dropFirst(2), as: UTF8.self), payload: payload.bytes))
            } else if let (_, key) = RouteKey.read(topic), topic.count == InnerTopic.size {
                body(.data(key, snapshot: topic[RouteKey.wireSize] == 1, payload: payload.bytes))
            }
        }
        return count
    }

    func wake(_ signal: @escaping @Sendable () -> Void) throws {
        let bell = bell
        self.signal = signal
        thread = try BusThread(name: "bell of shard \(shard)") { bell.run(signal) }
        // What has come in since the socket was made may have taken its edge with it.
        signal()
    }

    func rearm() { bell.rearm() }

    func close() {
        bell.stop()
        thread?.join()
        thread = nil
        signal = nil
    }
}

/// Watches one descriptor and rings once each time it is armed.
private final class Bell: Sendable {
    private let watched: Int32
    private let control: WakePipe
    private let stopping = Atomic<Bool>(false)

    init(watching descriptor: Int32) throws {
        watched = descriptor
        control = try WakePipe()
    }

    func rearm() { control.ring() }

    func stop() {
        stopping.store(true, ordering: .releasing)
        control.ring()
    }

    /// Armed at first. After a ring it waits to be armed again, so the shard is never told twice of the same thing.
    func run(_ signal: @Sendable () -> Void) {
        while true {
            let hasWork = wait(for: watched, control.reader)
            if stopping.load(ordering: .acquiring) { return }
            control.drain()
            guard hasWork else { continue }
            signal()
            wait(for: control.reader, -1)
            control.drain()
            if stopping.load(ordering: .acquiring) { return }
        }
    }

    /// - Returns: Whether the first one is readable.
    @discardableResult
    private func wait(for first: Int32, _ second: Int32) -> Bool {
        withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { items in
            items.initializeElement(at: 0, to: pollfd(fd: first, events: Int16(POLLIN), revents: 0))
            // A negative descriptor is passed over (poll(2)).
            items.initializeElement(at: 1, to: pollfd(fd: second, events: Int16(POLLIN), revents: 0))
            while poll(items.baseAddress, nfds_t(items.count), -1) < 0, errno == EINTR {}
            return items[0].revents != 0
        }
    }
}
