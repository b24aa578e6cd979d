import AdapterKit

/// An instrument on the wire: the segment and the token, which means another instrument in each segment, in one number.
struct InstrumentKey: Hashable {
    /// 0 is no instrument: segments begin at 1.
    let rawValue: UInt64

    init(segment: UInt8, token: UInt64) {
        rawValue = UInt64(segment) << 56 | token
    }

    /// The number that the token is: 1 to 16 digits, no zero in front. Ends at the first NUL.
    ///
    /// Angel One writes tokens as text, and all of them are numbers. A zero in front is refused because two texts would
    /// be one instrument.
    @inline(__always)
    static func token(_ text: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        for byte in text {
            if byte == 0 { break }
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9, digits < 16, digits == 0 || value != 0 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            digits += 1
        }
        return digits > 0 ? value : nil
    }

    static func token(_ text: Bytes) -> UInt64? {
        guard text.firstIndex(of: 0) == nil else { return nil }
        return token(UnsafeRawBufferPointer(text.buffer))
    }
}
