import NIOCore

/// Modes of Kite's feed; each shows what the one before shows, and more.
enum KiteMode: UInt8, CaseIterable {
    case ltp
    case quote
    case full

    var name: String {
        switch self {
        case .ltp: "ltp"
        case .quote: "quote"
        case .full: "full"
        }
    }

    init?(name: String) {
        guard let mode = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = mode
    }
}

/// Kite's binary packets, big-endian (Kite Connect WebSocket docs, "Message structure").
///
/// The packet of a lower mode is the beginning of that of a higher one, so only the full one is ever made.
enum KitePacket {
    /// Bytes of a packet, from which clients tell what it is.
    static func length(_ mode: KiteMode, isIndex: Bool) -> Int {
        switch mode {
        case .ltp: 8
        case .quote: isIndex ? 28 : 44
        case .full: isIndex ? 32 : 184
        }
    }

    /// The full packet: 184 bytes, or 32 for an index. What is too large for 32 bits, or below zero where that cannot be, is
    /// the nearest number that can be sent.
    static func full(_ quote: Quote, of listing: KiteListing) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(184)
        bytes.writeInteger(listing.token)
        func price(_ mantissa: Int64) {
            let raw = mantissa &* listing.scale
            bytes.writeInteger(
                listing.hasSignedPrices ? UInt32(bitPattern: Int32(clamping: raw)) : UInt32(clamping: raw))
        }
        func number(_ value: Int64) { bytes.writeInteger(UInt32(clamping: value)) }
        func seconds(_ time: UInt64) { bytes.writeInteger(UInt32(clamping: time / 1_000_000_000)) }
        price(quote.lastPrice)
        if listing.isIndex {
            price(quote.high)
            price(quote.low)
            price(quote.open)
            price(quote.close)
            bytes.writeInteger(Int32(clamping: (quote.lastPrice - quote.close) &* listing.scale))
            seconds(quote.exchangeTime)
            return bytes
        }
        number(quote.lastQuantity)
        price(quote.averagePrice)
        number(quote.volume)
        number(quote.totalBuyQuantity)
        number(quote.totalSellQuantity)
        price(quote.open)
        price(quote.high)
        price(quote.low)
        price(quote.close)
        seconds(quote.lastTradeTime)
        number(quote.openInterest)
        number(quote.openInterestHigh)
        number(quote.openInterestLow)
        seconds(quote.exchangeTime)
        for level in quote.bids.prefix(5) + quote.asks.prefix(5) {
            number(level.quantity)
            price(level.price)
            bytes.writeInteger(UInt16(clamping: level.orders))
            bytes.writeInteger(UInt16(0))
        }
        return bytes
    }
}
