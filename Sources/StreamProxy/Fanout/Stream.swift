import MarketData
import NIOCore

/// A route under the name that its clients know it by, with its newest frame.
///
/// The frame is rebuilt in place for every message and copied to each cohort, so a tick allocates nothing. It also is
/// the last value for clients that come later, and all that a slow client has to keep.
final class Stream {
    /// A cohort that gets this stream, and where this stream is in its list.
    struct Follower {
        unowned(unsafe) let cohort: Cohort
        var seat: Int
    }

    let key: StreamKey
    /// Part of the fingerprint of every set of streams that this one is in: random, so nobody can choose streams whose
    /// sets look alike.
    let mark: Fingerprint
    let frame = FrameBuffer()
    /// False until the first message.
    var hasValue: Bool { frame.count > 0 }

    /// Cohorts hold their streams and take themselves off this list before they go.
    var followers: ContiguousArray<Follower> = []
    /// Subscriptions with a rate of their own.
    var paced: ContiguousArray<Subscription> = []
    /// Clients on it, however they are served.
    var subscribers = 0

    private let prefix: [UInt8]
    private let suffix: [UInt8]
    private let deflater: Deflater
    private var deflated = ByteBuffer()
    private var isDeflated = false
    private var headerSize = 0

    init(key: StreamKey, exchange: String, broker: String, deflater: Deflater) {
        self.key = key
        self.deflater = deflater
        mark = Fingerprint.random()
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
        frame.append(headerSize) { FrameHeader.write(.text, length: length, at: $0) }
        prefix.withUnsafeBytes { frame.append($0) }
        frame.append(payload)
        suffix.withUnsafeBytes { frame.append($0) }
        isDeflated = false
    }

    /// The frame for clients with permessage-deflate: compressed for the first that asks, if it gets smaller at all.
    func withDeflatedFrame<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if !isDeflated {
            isDeflated = true
            deflated.clear()
            let isSmaller = deflater.writeFrame(
                .text, payload: UnsafeRawBufferPointer(rebasing: frame.bytes[headerSize...]), to: &deflated)
            if !isSmaller { deflated = ByteBuffer() }
        }
        return deflated.readableBytes > 0 ? deflated.withUnsafeReadableBytes(body) : body(frame.bytes)
    }

    /// The message inside the frame, without the envelope; for a stream of the same route under another name.
    func withPayload(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard hasValue else { return }
        let payload = frame.bytes[(headerSize + prefix.count)..<(frame.count - suffix.count)]
        body(UnsafeRawBufferPointer(rebasing: payload))
    }
}

/// Names a ``Stream``. One route has several when clients write different suffixes for the same book: who asked for
/// `TCS:50` and was granted 20 levels, like who asked for `TCS:20`, gets the name that he knows.
struct StreamKey: Hashable {
    let route: RouteKey
    /// As the client wrote it.
    let symbol: String
}
