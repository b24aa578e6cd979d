import AdapterKit

/// An exchange and a token as one number. Tokens are the exchanges' own and collide between exchanges, so neither is
/// ever used alone.
enum ScripKey {
    /// `exchange` has up to four letters, packed.
    @inline(__always)
    static func make(_ exchange: UInt32, _ token: UInt32) -> UInt64 {
        UInt64(exchange) << 32 | UInt64(token)
    }

    /// The key of a scrip in the broker's terms; `nil` if there can be none.
    static func make(exchange: String, token: String) -> UInt64? {
        var token = token
        guard let exchange = UInt32(exactly: PackedText.pack(exchange)), exchange != 0,
            let number = token.withUTF8({ Self.token(Bytes($0)) })
        else { return nil }
        return make(exchange, number)
    }

    /// A token: decimal digits without leading zeros, below 2^32 − 1. Nothing else is equal to its number.
    static func token(_ text: Bytes) -> UInt32? {
        let bytes = text.buffer
        guard (1...10).contains(bytes.count), bytes[0] != UInt8(ascii: "0") || bytes.count == 1 else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value < UInt64(UInt32.max) ? UInt32(value) : nil
    }

    /// The same of a short text.
    @inline(__always)
    static func token(_ text: FeedText.Short) -> UInt32? {
        guard text.bits > 0, text.bits == 8 || text.word & 0xFF != UInt64(UInt8(ascii: "0")),
            let value = FeedWord.number(text.word, bits: text.bits)
        else { return nil }
        return UInt32(truncatingIfNeeded: value)
    }
}
