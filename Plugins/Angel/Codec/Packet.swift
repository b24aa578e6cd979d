import AdapterKit

/// Why bytes are no packet.
enum PacketFault: Error {
    /// The first byte is none of the four modes, or there is none.
    case mode
    /// The mode has another size. A changed layout brings wrong prices, so nothing of it is read.
    case size
    /// The token is no number.
    case token
}

/// One message of the market socket: little-endian, one instrument, one mode, fields at fixed places (SmartAPI
/// documentation, "WebSocket Streaming 2.0", section "Response Contract"; depth 20 as in the official clients).
///
/// Borrowed like the bytes it was made of. The size is checked once; every offset below is inside it.
struct Packet {
    let mode: FeedMode
    let key: InstrumentKey
    private let start: UnsafeRawPointer

    init(_ bytes: Bytes) throws(PacketFault) {
        guard let base = bytes.buffer.baseAddress, let first = bytes[0], let mode = FeedMode(rawValue: first) else {
            throw .mode
        }
        guard bytes.count == mode.packetSize else { throw .size }
        start = UnsafeRawPointer(base)
        self.mode = mode
        guard let token = InstrumentKey.token(UnsafeRawBufferPointer(start: start + 2, count: 25)) else {
            throw .token
        }
        key = InstrumentKey(segment: start.load(fromByteOffset: 1, as: UInt8.self), token: token)
    }

    /// Beyond this a number is no price, quantity or count of any exchange, but damage.
    private static let bound: Int64 = 100_000_000_000_000_000

    @inline(__always)
    private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Number.Type) -> Number {
        Number(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// A price; nil for 0, with which the wire says that there is none.
    @inline(__always)
    func price(_ offset: Int) -> Int64? {
        let value = load(offset, as: Int64.self)
        return value == 0 || value > Self.bound || value < -Self.bound ? nil : value
    }

    /// A quantity or a count, 0 included.
    @inline(__always)
    func quantity(_ offset: Int) -> Int64? {
        let value = load(offset, as: Int64.self)
        return value < 0 || value > Self.bound ? nil : value
    }

    /// A quantity that is written as a binary fraction, though it is whole.
    @inline(__always)
    func wholeDouble(_ offset: Int) -> Int64? {
        let value = Double(bitPattern: load(offset, as: UInt64.self))
        guard value >= 0, value <= Double(Self.bound) else { return nil }
        return Int64(value)
    }

    /// A time in milliseconds, as nanoseconds; nil if there is none, or one from before there was electronic trading.
    @inline(__always)
    func milliseconds(_ offset: Int) -> UInt64? {
        let value = load(offset, as: Int64.self)
        guard value >= IndianTime.firstTrades &* 1_000, value < 10_000_000_000_000 else { return nil }
        return UInt64(value) &* 1_000_000
    }

    /// Whether a time is there and is none.
    @inline(__always)
    func isBadTime(_ offset: Int) -> Bool {
        load(offset, as: Int64.self) != 0 && milliseconds(offset) == nil
    }

    /// The time of the last trade, as nanoseconds. Its unit is not documented: seconds have ten digits, and what is too
    /// large for them is milliseconds.
    @inline(__always)
    func tradeTime(_ offset: Int) -> UInt64? {
        let value = load(offset, as: Int64.self)
        guard value >= IndianTime.firstTrades else { return nil }
        return value < IndianTime.plausible.upperBound ? UInt64(value) &* 1_000_000_000 : milliseconds(offset)
    }
}

// The order book.
extension Packet {
    /// Reads the five levels of a side of mode 3, 20 bytes each: flag, quantity, price, orders. Levels without a
    /// quantity or a price are empty places.
    ///
    /// - Returns: False if a level says that it belongs to the other side.
    @inline(__always)
    func readBestFive(_ offset: Int, flag: UInt16, into side: LevelBuffer) -> Bool {
        side.removeAll()
        var isConsistent = true
        for place in stride(from: offset, to: offset + 100, by: 20) {
            guard let quantity = quantity(place + 2), quantity > 0, let price = price(place + 10) else { continue }
            if load(place, as: UInt16.self) != flag { isConsistent = false }
            side.append(Level(price: price, quantity: quantity, orders: UInt32(load(place + 18, as: UInt16.self))))
        }
        return isConsistent
    }

    /// Reads the twenty levels of a side of mode 4, 10 bytes each: quantity, price, orders. The official clients read
    /// quantities and prices signed; the mode is of NSE's shares alone, where none is below zero.
    @inline(__always)
    func readTwenty(_ offset: Int, into side: LevelBuffer) {
        side.removeAll()
        for place in stride(from: offset, to: offset + 200, by: 10) {
            let quantity = load(place, as: UInt32.self)
            let price = load(place + 4, as: UInt32.self)
            guard quantity != 0, price != 0 else { continue }
            let orders = UInt32(max(0, load(place + 8, as: Int16.self)))
            side.append(Level(price: Int64(price), quantity: Int64(quantity), orders: orders))
        }
    }
}
