import MarketData
import NIOCore

/// A route under the name that its clients know it by, with its newest frame.
///
/// The frame is rebuilt in place for every message and copied to each client, so a tick allocates nothing. It also is
/// the last value for clients that come later, and all that a slow client has to keep.
final class Stream {
    let key: StreamKey
    private(set) var frame = ByteBuffer()
    /// False until the first message.
    var hasValue: Bool { frame.readableBytes > 0 }

    private(set) var outboxes: ContiguousArray<Outbox> = []
    /// In step with `outboxes`, which the fan-out reads alone.
    private(set) var subscriptions: ContiguousArray<Subscription> = []

    private let prefix: [UInt8]
    private let suffix: [UInt8]
    private let deflater: Deflater
    private var deflated = ByteBuffer()
    private var isDeflated = false
    private var headerSize = 0

    init(key: StreamKey, exchange: String, broker: String, deflater: Deflater) {
        self.key = key
        self.deflater = deflater
        var bytes = ByteBuffer()
        bytes.writeStaticString("{\"type\":\"market_data\",\"symbol\":")
        bytes.writeJSON(key.symbol)
        bytes.writeStaticString(",\"exchange\":")
        bytes.writeJSON(exchange)
        bytes.writeString(",\"mode\":\(key.route.mode.rawValue),\"data\":")
        prefix = Array(bytes.readableBytesView)
        bytes.clear()
        bytes.writeStaticString(",\"broker\":")
        bytes.writeJSON(broker)
        bytes.writeStaticString("}")
        suffix = Array(bytes.readableBytesView)
    }

    /// Makes the frame of a new message. The payload is passed on untouched.
    func update(_ payload: UnsafeRawBufferPointer) {
        let length = prefix.count + payload.count + suffix.count
        headerSize = FrameHeader.size(length)
        frame.clear()
        FrameHeader.write(.text, length: length, to: &frame)
        frame.writeBytes(prefix)
        frame.writeBytes(payload)
        frame.writeBytes(suffix)
        isDeflated = false
    }

    /// The frame for clients with permessage-deflate: compressed for the first that asks, if it gets smaller at all.
    func deflatedFrame() -> ByteBuffer {
        if !isDeflated {
            isDeflated = true
            deflated.clear()
            let header = headerSize
            let isSmaller = frame.withUnsafeReadableBytes { bytes in
                deflater.writeFrame(
                    .text, payload: UnsafeRawBufferPointer(rebasing: bytes[header...]), to: &deflated)
            }
            if !isSmaller { deflated = ByteBuffer() }
        }
        return deflated.readableBytes > 0 ? deflated : frame
    }

    /// The message inside the frame, without the envelope; for a stream of the same route under another name.
    func withPayload(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard hasValue else { return }
        frame.withUnsafeReadableBytes { bytes in
            let payload = bytes[(headerSize + prefix.count)..<(bytes.count - suffix.count)]
            body(UnsafeRawBufferPointer(rebasing: payload))
        }
    }

    func add(_ subscription: Subscription, _ outbox: Outbox) {
        subscription.index = subscriptions.count
        subscriptions.append(subscription)
        outboxes.append(outbox)
    }

    /// Takes constant time, for the moment when ten thousand clients leave.
    func remove(_ subscription: Subscription) {
        let index = subscription.index
        guard index < subscriptions.count, subscriptions[index] === subscription else { return }
        subscriptions.swapAt(index, subscriptions.count - 1)
        outboxes.swapAt(index, outboxes.count - 1)
        subscriptions.removeLast()
        outboxes.removeLast()
        if index < subscriptions.count { subscriptions[index].index = index }
    }
}

/// Names a ``Stream``. One route has several when clients write different suffixes for the same book: who asked for
/// `TCS:50` and was granted 20 levels, like who asked for `TCS:20`, gets the name that he knows.
struct StreamKey: Hashable {
    let route: RouteKey
    /// As the client wrote it.
    let symbol: String
}
