import NIOCore

/// Packets of SmartAPI's WebSocket 2.0: little-endian, one per message, no envelope.
///
/// Source: the binary layout in Angel One's SmartAPI documentation, as its official Python and Java clients read it.
enum AngelPacket {
    /// Bytes of the token field, the NUL that ends it included.
    static let tokenSize = 25
    /// The change of open interest is documented as a dummy. An impossible value finds out whoever trusts it.
    static let dummyInterestChange = 1e8

    /// Appends the packet for one mode: ``AngelMode/packetSize`` bytes. What the instrument does not have is 0, because
    /// the wire has no other way to say so.
    /// - Parameter sequence: Of the whole feed, so it has gaps for each token; indices have none.
    static func write(
        _ quote: Quote, of listing: AngelListing, mode: AngelMode, sequence: Int64, to buffer: inout ByteBuffer
    ) {
        buffer.reserveCapacity(minimumWritableBytes: mode.packetSize)
        buffer.writeInteger(mode.rawValue)
        buffer.writeInteger(listing.key.exchange.rawValue)
        let token = listing.key.token.utf8.prefix(tokenSize - 1)
        buffer.writeBytes(token)
        buffer.writeRepeatingByte(0, count: tokenSize - token.count)
        guard mode != .depth20 else { return writeDepth20(quote, listing, to: &buffer) }
        put(listing.isIndex ? 0 : sequence, to: &buffer)
        put(milliseconds(quote.exchangeTime), to: &buffer)
        put(quote.lastPrice * listing.scale, to: &buffer)
        guard mode != .lastPrice else { return }
        put(quote.lastQuantity, to: &buffer)
        put(quote.averagePrice * listing.scale, to: &buffer)
        put(quote.volume, to: &buffer)
        put(Double(quote.totalBuyQuantity), to: &buffer)
        put(Double(quote.totalSellQuantity), to: &buffer)
        put(quote.open * listing.scale, to: &buffer)
        put(quote.high * listing.scale, to: &buffer)
        put(quote.low * listing.scale, to: &buffer)
        put(quote.close * listing.scale, to: &buffer)
        guard mode != .quote else { return }
        put(Int64(quote.lastTradeTime / 1_000_000_000), to: &buffer)
        put(quote.openInterest, to: &buffer)
        put(dummyInterestChange, to: &buffer)
        writeBestFive(quote.bids, flag: 1, scale: listing.scale, to: &buffer)
        writeBestFive(quote.asks, flag: 0, scale: listing.scale, to: &buffer)
        put(listing.isIndex ? 0 : quote.upperCircuit * listing.scale, to: &buffer)
        put(listing.isIndex ? 0 : quote.lowerCircuit * listing.scale, to: &buffer)
        put(quote.yearHigh * listing.scale, to: &buffer)
        put(quote.yearLow * listing.scale, to: &buffer)
    }

    private static func writeBestFive(_ levels: [BookLevel], flag: UInt16, scale: Int64, to buffer: inout ByteBuffer) {
        for level in levels.prefix(5) {
            buffer.writeInteger(flag, endianness: .little)
            put(level.quantity, to: &buffer)
            put(level.price * scale, to: &buffer)
            buffer.writeInteger(UInt16(clamping: level.orders), endianness: .little)
        }
    }

    /// No last price and no day's figures; the second time is documented as a dummy. What is too large for 32 bits is the
    /// largest number that can be sent; shares are never below zero.
    private static func writeDepth20(_ quote: Quote, _ listing: AngelListing, to buffer: inout ByteBuffer) {
        put(milliseconds(quote.exchangeTime), to: &buffer)
        put(milliseconds(quote.exchangeTime), to: &buffer)
        for levels in [quote.bids, quote.asks] {
            for level in levels {
                buffer.writeInteger(UInt32(clamping: level.quantity), endianness: .little)
                buffer.writeInteger(UInt32(clamping: level.price * listing.scale), endianness: .little)
                buffer.writeInteger(Int16(clamping: level.orders), endianness: .little)
            }
        }
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> Int64 { Int64(nanoseconds / 1_000_000) }

    private static func put(_ number: Int64, to buffer: inout ByteBuffer) {
        buffer.writeInteger(number, endianness: .little)
    }

    private static func put(_ number: Double, to buffer: inout ByteBuffer) {
        buffer.writeInteger(number.bitPattern, endianness: .little)
    }
}
