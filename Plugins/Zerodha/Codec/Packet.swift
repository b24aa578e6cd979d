import AdapterKit

/// The packets of a binary message, one after the other: a count, and for each a length and its bytes, all big-endian
/// (Kite Connect WebSocket docs, "Message structure").
///
/// Safe on any bytes; reads nothing that is not there and allocates nothing.
struct PacketReader {
    private let start: UnsafeRawPointer?
    private let count: Int
    private var offset = 0
    private var left: Int
    /// Whether the message ends inside a packet, or goes on behind the last one.
    private(set) var isDamaged = false

    /// Starts at the front of `message`, which has to outlive the reader. Less than two bytes are a heartbeat: no
    /// packets.
    init(_ message: Bytes) {
        start = UnsafeRawPointer(message.buffer.baseAddress)
        count = message.count
        left = 0
        guard let start, count >= 2 else { return }
        left = Int(UInt16(bigEndian: start.loadUnaligned(as: UInt16.self)))
        offset = 2
        if left == 0 { isDamaged = count > 2 }
    }

    /// Whether the packet that came last was the last one.
    var isAtEnd: Bool { left == 0 }

    @inline(__always)
    mutating func next() -> Packet? {
        guard left > 0, let start else { return nil }
        guard count &- offset >= 2 else { return damaged() }
        let length = Int(UInt16(bigEndian: (start + offset).loadUnaligned(as: UInt16.self)))
        offset &+= 2
        guard count &- offset >= length else { return damaged() }
        let packet = Packet(unchecked: start + offset, length: length)
        offset &+= length
        left &-= 1
        if left == 0, offset != count { isDamaged = true }
        return packet
    }

    private mutating func damaged() -> Packet? {
        isDamaged = true
        left = 0
        return nil
    }
}

/// The state of one instrument, as one packet tells it. Borrowed: valid only as long as the message.
///
/// Kite's documents call all numbers signed and its clients read them unsigned. Quantities and times are unsigned here,
/// and so are prices, except where the segment's can go below zero: see ``Subscription/priceWrap``.
struct Packet {
    /// The length decides, and nothing else.
    enum Kind {
        /// 8 bytes, of any instrument.
        case lastPrice
        /// 44 bytes.
        case quote
        /// 184 bytes.
        case full
        /// 28 bytes.
        case indexQuote
        /// 32 bytes.
        case indexFull
        /// Any other length.
        case unknown
    }

    let kind: Kind
    private let start: UnsafeRawPointer
    /// What is taken off a price whose highest bit is set.
    private var priceWrap: Int64 = 0

    /// Takes `length` bytes at `start`, which have to be there.
    @inline(__always)
    init(unchecked start: UnsafeRawPointer, length: Int) {
        self.start = start
        kind =
            switch length {
            case 184: .full
            case 44: .quote
            case 8: .lastPrice
            case 32: .indexFull
            case 28: .indexQuote
            default: .unknown
            }
    }

    /// The same packet, with prices read as those of a subscription.
    @inline(__always)
    func reading(_ subscription: Subscription) -> Packet {
        var packet = self
        packet.priceWrap = subscription.priceWrap
        return packet
    }

    /// The instrument token; 0 if the kind is unknown.
    @inline(__always)
    var token: UInt32 { kind == .unknown ? 0 : unsigned(0) }

    /// The mode in which Kite sends such a packet.
    var mode: FeedMode {
        switch kind {
        case .full, .indexFull: .full
        case .quote, .indexQuote: .quote
        case .lastPrice, .unknown: .lastPrice
        }
    }

    // All offsets below are the caller's promise: smaller than what the kind is known to hold.

    @inline(__always)
    func unsigned(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: (start + offset).loadUnaligned(as: UInt32.self))
    }

    @inline(__always)
    func unsigned16(_ offset: Int) -> UInt16 {
        UInt16(bigEndian: (start + offset).loadUnaligned(as: UInt16.self))
    }

    @inline(__always)
    func quantity(_ offset: Int) -> Int64 { Int64(unsigned(offset)) }

    /// A price mantissa as it stands.
    @inline(__always)
    func price(_ offset: Int) -> Int64 {
        let raw = Int64(unsigned(offset))
        // All ones if the highest bit is set, without a branch.
        return raw &- ((0 &- raw &>> 31) & priceWrap)
    }

    /// A price mantissa. Kite writes 0 where there is no such price, such as the open before the market opens.
    @inline(__always)
    func knownPrice(_ offset: Int) -> Int64? {
        let price = price(offset)
        return price == 0 ? nil : price
    }

    /// A time, from seconds to nanoseconds since the Unix epoch, UTC; nil before there was electronic trading: 0, or the
    /// zero of another clock.
    @inline(__always)
    func time(_ offset: Int) -> UInt64? {
        let seconds = Int64(unsigned(offset))
        return seconds < IndianTime.firstTrades ? nil : UInt64(seconds) &* 1_000_000_000
    }
}
